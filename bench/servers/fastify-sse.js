// @fastify/sse as its readme has it: a route that keeps its streams, and sends to each of them. `node fastify-sse.js <port>`.
import Fastify from 'fastify'
import sse from '@fastify/sse'

const app = Fastify()
await app.register(sse)

const channels = new Map()
let id = 0

function streamsOf (channelId) {
  if (!channels.has(channelId)) channels.set(channelId, new Set())
  return channels.get(channelId)
}

app.get('/channels/:channelId/events', { sse: 'only' }, async (request, reply) => {
  const streams = streamsOf(request.params.channelId)
  reply.sse.keepAlive()
  reply.sse.sendHeaders()
  reply.raw.flushHeaders()
  streams.add(reply.sse)
  reply.sse.onClose(() => streams.delete(reply.sse))
})

app.post('/channels/:channelId/messages', (request, reply) => {
  const message = { id: String(++id), data: request.body }
  for (const stream of streamsOf(request.params.channelId)) stream.send(message).catch(() => {})
  reply.send({})
})

await app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' })
