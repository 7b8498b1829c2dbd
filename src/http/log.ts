/** One line per request, when it has been answered. */
import { LogController, type FastifyReply, type FastifyRequest } from 'fastify'
import { pathOf } from './envelope.ts'

/** Never the query: an event token may stand in it (protocol 2). The request's id is on every line as `reqId`. */
export const serializers = {
  req: (request: FastifyRequest) => ({ method: request.method, path: pathOf(request.url) })
}

export class RequestLog extends LogController {
  override incomingRequest (): void {}

  override requestCompleted (error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    // An error here is the connection's: the client went away.
    if (error) request.log.debug({ req: request, err: error }, 'client went away')
    else request.log.info({ req: request, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'request answered')
  }

  override streamError (error: Error, request: FastifyRequest): void {
    request.log.debug({ req: request, err: error }, 'client went away')
  }
}
