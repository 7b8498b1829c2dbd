// Bare Fastify that answers what it was sent: the most that a service on it can take. `node fastify-echo.js <port>`.
import Fastify from 'fastify'

const app = Fastify()
app.post('/channels/:channelId/messages', (request, reply) => { reply.send(request.body) })
await app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' })
