/** Prints the OpenAPI document, as YAML: `npm run openapi` keeps openapi.yaml what the code says. */
import { buildApp } from './app.ts'

/** The document is made from the routes alone: nothing behind them is ever called. */
const absent = (): never => { throw new Error('there is nothing behind this app: it is for its document only') }

const app = await buildApp({
  store: {
    getUser: absent,
    listUsers: absent,
    getToken: absent,
    listTokens: absent,
    getChannels: absent,
    listChannels: absent,
    listChannelsOf: absent,
    listChannelEvents: absent,
    listMessageEvents: absent,
    listParticipants: absent,
    listMessages: absent,
    getMessage: absent,
    append: absent,
    openStream: absent,
    read: absent,
    head: absent,
    onCommitted: absent,
    check: absent,
    settle: absent,
    close: absent
  },
  authenticate: absent,
  tokens: { issueUserToken: absent, issueEventToken: absent },
  streams: { serve: absent, answerError: absent, drain: async () => {}, count: 0 },
  corsOrigins: [],
  logger: false
})
await app.ready()
process.stdout.write(app.swagger({ yaml: true }))
await app.close()
