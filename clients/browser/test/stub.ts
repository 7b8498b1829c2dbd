/** A server that answers streams as a test says, and what came to it. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Stub {
  url: string
  /** What came so far, in order. */
  requests: IncomingMessage[]
  /** Streams that are open. */
  open: () => number
  close (): Promise<void>
}

/** @param answer the number counts requests, from 0 */
export async function startStub (answer: (response: ServerResponse, number: number, request: IncomingMessage) => void): Promise<Stub> {
  const requests: IncomingMessage[] = []
  const open = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    open.add(response)
    response.once('close', () => open.delete(response))
    requests.push(request)
    request.resume()
    answer(response, requests.length - 1, request)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    open: () => open.size,
    async close () {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
}

/** Begins a stream that comes back after 10 ms. */
export function begin (response: ServerResponse, frames = ''): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write('retry: 10\nevent: ready\ndata: {}\n\n' + frames)
  return response
}

export const frame = (id: string, data: unknown, event?: string): string =>
  `id: ${id}\n${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`

export const caughtUp = (id: string): string => frame(id, {}, 'caught-up')

export function refuse (response: ServerResponse, status: number, body: unknown = {}, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
