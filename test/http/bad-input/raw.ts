/** HTTP byte for byte: no client mends what is sent. */
import { once } from 'node:events'
import { connect } from 'node:net'

export interface RawAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

/** An answer that takes longer is none, in milliseconds. */
const ANSWER_MS = 5_000

/** Sends a request on a connection of its own and reads to its end. The target is sent as it is, in UTF-8. */
export async function exchange (port: number, method: string, target: string, headers: Record<string, string>, body?: string): Promise<RawAnswer> {
  const head = [`${method} ${target} HTTP/1.1`, ...Object.entries({
    host: 'localhost',
    connection: 'close',
    ...headers,
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) })
  }).map(([name, value]) => `${name}: ${value}`)].join('\r\n')
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  socket.setTimeout(ANSWER_MS, () => { socket.destroy(new Error(`no end of an answer to ${method} ${JSON.stringify(target.slice(0, 100))}`)) })
  socket.write(`${head}\r\n\r\n${body ?? ''}`)
  await once(socket, 'end')
  socket.destroy()
  return parse(Buffer.concat(chunks).toString('utf8'))
}

function parse (text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]),
    headers: Object.fromEntries(lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])),
    body: text.slice(end + 4)
  }
}
