/** What fan-out costs at least in Node: no rights, no log, no disk; each POST's body goes to every open stream. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const streams = new Set<ServerResponse>()
let id = 0

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('event: caught-up\ndata: {}\n\n')
    streams.add(response)
    response.once('close', () => streams.delete(response))
    return
  }
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
    const frame = Buffer.from(`id: ${++id}\nevent: message\ndata: ${Buffer.concat(chunks).toString()}\n\n`)
    for (const stream of streams) stream.write(frame)
    response.end('{}')
  })
})
server.listen(0, '127.0.0.1', () => console.log(`listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`))
