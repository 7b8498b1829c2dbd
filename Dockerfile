FROM node:26-slim

WORKDIR /app
# All that is written goes to /data: the root file system may be read-only, so SQLite's large sorts go there too.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=11902 DATA_DIR=/data SQLITE_TMPDIR=/data

COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

COPY clients/browser/client.js clients/browser/client.js
COPY schemas schemas
COPY routes routes
COPY src src

RUN mkdir /data && chown node:node /data && chmod 700 /data
USER node
VOLUME /data
EXPOSE 11902

HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/ready').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

CMD ["node", "src/server.ts"]
