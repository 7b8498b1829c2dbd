/**
 * The end of the server: what is under way is answered, and nobody is waited for who sends no more, or reads no more.
 * All of it is done here: Node would close a connection whose answer was given, but not yet written out, as idle, and wait
 * for ever for one with half a request on it.
 */
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { answerUnderWay } from './envelope.ts'

/** How long nothing may come of a request, or nothing be taken of an answer, in milliseconds. */
const PATIENCE_MS = 1_000

/** How long a connection without a request may still bring one, which may be on its way already, in milliseconds; and as a share of the time for all. */
const IDLE = { most: 250, share: 1 / 12 }

/** How often it is looked, in milliseconds. */
const LOOK_MS = 100

/**
 * Call before the server listens.
 * @param longestMs how long a connection is waited for at all, however steadily the other side sends or reads, in milliseconds
 * @returns what is to be called when the streams have ended, with when the service began to close (`performance.now()`)
 */
export function closeInTime ({ server }: FastifyInstance, longestMs: number): (since: number) => void {
  const connections = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  server.closeIdleConnections = () => {}

  return since => {
    const begun = performance.now()
    const idleMs = Math.min(IDLE.most, longestMs * IDLE.share)
    const look = () => {
      for (const socket of connections) {
        const answer = answerUnderWay(socket)
        const over = answer === undefined ? performance.now() - begun >= idleMs : performance.now() - since >= longestMs
        if (over) {
          socket.destroy()
          continue
        }
        // A socket's time begins anew with every byte, and ends the connection.
        const awaited = answer !== undefined && (!answer.req.complete || answer.writableEnded)
        const patience = awaited ? PATIENCE_MS : 0
        if (socket.timeout !== patience) socket.setTimeout(patience)
      }
    }
    const idleOver = setTimeout(look, Math.ceil(idleMs) + 1)
    const looking = setInterval(look, LOOK_MS)
    server.once('close', () => {
      clearTimeout(idleOver)
      clearInterval(looking)
    })
  }
}
