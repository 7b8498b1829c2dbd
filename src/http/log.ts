/** One line per request, when it has been answered. */
import { LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
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

/**
 * Of loggers that say nothing of requests which went well: a request has a logger of its own as soon as there is something
 * to log, and most have none.
 * @param logger of the service
 */
export function loggerWhenNeeded (logger: FastifyBaseLogger): Parameters<FastifyInstance['setChildLoggerFactory']>[0] {
  return (_logger, bindings) => new LoggerWhenNeeded(logger, bindings) as unknown as FastifyBaseLogger
}

type Arguments = [object, string?]

class LoggerWhenNeeded {
  readonly #parent: FastifyBaseLogger
  readonly #bindings: object
  #made: FastifyBaseLogger | undefined

  constructor (parent: FastifyBaseLogger, bindings: object) {
    this.#parent = parent
    this.#bindings = bindings
  }

  get #own (): FastifyBaseLogger {
    return (this.#made ??= this.#parent.child(this.#bindings))
  }

  get level (): string { return this.#own.level }
  fatal (...line: Arguments): void { this.#own.fatal(...line) }
  error (...line: Arguments): void { this.#own.error(...line) }
  warn (...line: Arguments): void { this.#own.warn(...line) }
  info (...line: Arguments): void { this.#own.info(...line) }
  debug (...line: Arguments): void { this.#own.debug(...line) }
  trace (...line: Arguments): void { this.#own.trace(...line) }
  silent (): void {}
  child (...child: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger { return this.#own.child(...child) }
}
