/** A node that a test plays: it answers what it is told, and keeps what it was asked. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export class PlayedNode {
  /** Requests that it got: method and URL. Questions whether it is well are none. */
  readonly got: string[] = []
  readonly port: number
  readonly #server: Server

  private constructor (server: Server, answer: Answer) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (request.url === '/health/ready') return response.end()
      this.got.push(`${request.method} ${request.url}`)
      answer(request, response)
    })
  }

  /** Resolves when it listens: on any free port where none is given. */
  static async start (answer: Answer, port = 0): Promise<PlayedNode> {
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    return new PlayedNode(server, answer)
  }

  /** Ends it at once, and all that it had begun. */
  end (): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
