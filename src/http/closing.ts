/**
 * The end of the server: what is under way is answered, and nobody is waited for who sends no more, or reads no more.
 * Fastify closes idle connections; Node counts one with half a request on it among those at work.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** How long the rest of a request, or the reading of an answer, is waited for, in milliseconds. */
const PATIENCE_MS = 1_000

/** How often it is looked, in milliseconds. */
const LOOK_MS = 100

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
}

/** Call before the server listens. Returns what is to be called when the service closes. */
export function closeInTime (app: FastifyInstance): () => void {
  /** Every connection, and what came last on it. */
  const connections = new Map<Socket, Exchange | undefined>()
  app.server.on('connection', (socket: Socket) => {
    connections.set(socket, undefined)
    socket.once('close', () => connections.delete(socket))
  })
  app.server.prependListener('request', (request, response) => {
    if (connections.has(request.socket)) connections.set(request.socket, { request, response })
  })

  return () => {
    /** Since when nothing but the other side is waited for. */
    const since = new WeakMap<Exchange, number>()
    const looking = setInterval(() => {
      for (const [socket, exchange] of connections) {
        if (exchange === undefined || exchange.response.closed) {
          socket.destroy()
        } else if (!exchange.request.complete || exchange.response.writableEnded) {
          const now = performance.now()
          if (!since.has(exchange)) since.set(exchange, now)
          else if (now - since.get(exchange)! > PATIENCE_MS) socket.destroy()
        }
      }
    }, LOOK_MS)
    app.server.once('close', () => clearInterval(looking))
  }
}
