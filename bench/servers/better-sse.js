// better-sse as its guide has it: a session for each stream, a channel that broadcasts. `node better-sse.js <port>`.
// JavaScript, because the packages are not there when the project's types are checked.
import { createServer } from 'node:http'
import { createChannel, createSession } from 'better-sse'

const channels = new Map()

function channelOf (url) {
  const name = url.slice(0, url.lastIndexOf('/'))
  if (!channels.has(name)) channels.set(name, createChannel())
  return channels.get(name)
}

createServer(async (request, response) => {
  const channel = channelOf(request.url)
  if (request.method === 'GET') {
    channel.register(await createSession(request, response))
    return
  }
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  channel.broadcast(JSON.parse(Buffer.concat(chunks).toString()))
  response.end('{}')
}).listen(Number(process.argv[2]), '127.0.0.1')
