/**
 * The least that Node can do: no rights, no log, no disk. Each message becomes bytes once, and the messages of one turn
 * of the loop are one shared Buffer and one write for each stream. `node floor.ts <port> <bytes of a frame beyond the text>`.
 */
import { createServer } from 'node:http'
import type { Socket } from 'node:net'

const [port, beyond] = process.argv.slice(2).map(Number)
const HEADERS = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n: ready\n\n'

interface Channel { streams: Set<Socket>, waiting: Buffer[] }

const channels = new Map<string, Channel>()
let id = 0

function channelOf (url: string): Channel {
  const name = url.slice(0, url.lastIndexOf('/'))
  let channel = channels.get(name)
  if (channel === undefined) channels.set(name, channel = { streams: new Set(), waiting: [] })
  return channel
}

function frameOf (text: string): Buffer {
  const [start, end] = [`id: ${String(++id).padStart(20, '0')}\ndata: {"text":"${text}","rest":"`, '"}\n\n']
  return Buffer.from(start + 'x'.repeat(Math.max(0, beyond! - (start.length - text.length) - end.length)) + end)
}

function flush ({ streams, waiting }: Channel): void {
  const bytes = Buffer.concat(waiting.splice(0))
  for (const stream of streams) stream.write(bytes)
}

createServer((request, response) => {
  const channel = channelOf(request.url!)
  if (request.method === 'GET') {
    const { socket } = request
    socket.write(HEADERS)
    channel.streams.add(socket)
    socket.once('close', () => channel.streams.delete(socket))
    return
  }
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
    const { textPayload } = JSON.parse(Buffer.concat(chunks).toString()) as { textPayload: string }
    channel.waiting.push(frameOf(textPayload))
    if (channel.waiting.length === 1) setImmediate(flush, channel)
    response.end('{}')
  })
}).listen(port, '127.0.0.1')
