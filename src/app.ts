/** Joins the parts: the only file of src that imports routes. What a process adds to it is in server.ts. */
import { randomBytes } from 'node:crypto'
import cors from '@fastify/cors'
import swagger from '@fastify/swagger'
import { fastify, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { access } from '../routes/access.ts'
import { channels } from '../routes/channels.ts'
import { client } from '../routes/client.ts'
import { documentation } from '../routes/documentation.ts'
import { events } from '../routes/events.ts'
import { health } from '../routes/health.ts'
import { messages } from '../routes/messages.ts'
import { moderation } from '../routes/moderation.ts'
import { notImplemented } from '../routes/not-implemented.ts'
import { participants } from '../routes/participants.ts'
import { timelines } from '../routes/timelines.ts'
import { userTokens } from '../routes/tokens.ts'
import { users } from '../routes/users.ts'
import { welcome } from '../routes/welcome.ts'
import { namedSchemas } from '../schemas/named.ts'
import { createStillHolds, type Authenticate, type Identify } from './auth/authenticate.ts'
import type { Tokens } from './auth/tokens.ts'
import { LARGEST_BODY_BYTES, parseBodies } from './http/body.ts'
import { authenticated, refuseEmptySegments } from './http/callers.ts'
import { closeInTime } from './http/closing.ts'
import { corsOptions } from './http/cors.ts'
import { documentOptions } from './http/document.ts'
import { answerConnectionErrors, answerError, answerErrors, answerTunnels } from './http/envelope.ts'
import { eventStreams } from './http/event-stream.ts'
import { refuseBrokenRequests, refuseRepeatedHeaders } from './http/headers.ts'
import { loggerWhenNeeded, RequestLog, serializers } from './http/log.ts'
import { collectRoutes, refuseOtherMethods } from './http/methods.ts'
import { takeTurns, Turns } from './http/turns.ts'
import { boundUnread, type UnreadBounds } from './http/unread.ts'
import { validatorCompiler } from './http/validation.ts'
import type { Streams } from './relay/streams.ts'
import type { Store } from './store/contract/store.ts'

export interface AppOptions {
  /** Which application the service serves. */
  applicationId: string
  store: Store
  authenticate: Authenticate
  identify: Identify
  tokens: Pick<Tokens, 'issueUserToken' | 'issueEventToken'>
  streams: Streams
  /** Origins whose pages may call; none: no CORS at all. */
  corsOrigins: string[]
  /** false: no log. */
  logger: Logger | false
  /** What answers that nobody reads may hold; absent: what protocol 1, rule 9 says. */
  unread?: UnreadBounds
  /** How long a stop waits for requests that arrive and answers that are read, in milliseconds: 6 s unless given. */
  closeWithinMs?: number
}

/** Characters of a path segment: 45 ids of 72 characters and their commas, each of them percent-encoded. */
const LONGEST_SEGMENT = 45 * 73 * 3

/** How long a request may take to arrive: long enough for 256 KiB on a bad line, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000
/** And its headers. Must be less: Node exchanges the two otherwise. */
const HEADERS_TIMEOUT_MS = 15_000
/** How often Node looks for requests that took too long, in milliseconds. */
const TIMEOUT_CHECK_MS = 5_000

/** Made once, however many apps a process has: what was compiled for one of them is there for the next. */
const compileValidator = validatorCompiler(namedSchemas)

/** The service without a process: neither listens nor opens or closes anything that it was given. */
export async function buildApp (options: AppOptions): Promise<FastifyInstance> {
  const { applicationId, store, authenticate, identify, tokens, streams, corsOrigins, closeWithinMs = 6_000 } = options
  const app = createServer(options.logger)
  const letGo = closeInTime(app, closeWithinMs)
  const refuseWhileFull = boundUnread(app, options.unread)
  const turns = new Turns()
  parseBodies(app, turns)
  app.addHook('onRequest', refuseBrokenRequests)
  answerErrors(app)
  answerTunnels(app.server)
  app.setValidatorCompiler(compileValidator)
  // Plain, so that an answer never loses what its schema forgot to name.
  app.setSerializerCompiler(() => JSON.stringify)
  for (const schema of namedSchemas) app.addSchema(schema)

  const known = collectRoutes(app)
  await app.register(swagger, documentOptions)
  if (corsOrigins.length > 0) await app.register(cors, corsOptions(corsOrigins))

  await app.register(health, { store })
  await app.register(async open => {
    open.addHook('onRequest', refuseWhileFull)
    await open.register(welcome)
    await open.register(documentation)
    await open.register(client)
  })
  await app.register(async callers => {
    callers.addHook('onRequest', takeTurns(app, turns, identify, closeWithinMs))
    callers.addHook('onRequest', refuseWhileFull)
    callers.addHook('onRequest', refuseRepeatedHeaders)
    callers.addHook('onRequest', authenticated(callers, authenticate, store))
    callers.addHook('onRequest', refuseEmptySegments)
    await callers.register(users, { store })
    await callers.register(userTokens, { store, tokens })
    await callers.register(channels, { store })
    await callers.register(participants, { store })
    await callers.register(moderation, { store })
    await callers.register(messages, { store })
    await callers.register(timelines, { store })
    await callers.register(access, { store, applicationId })
    await callers.register(events, { streams: eventStreams({ store, streams, stillHolds: createStillHolds(store) }) })
    await callers.register(notImplemented)
  })
  refuseOtherMethods(app, known)

  // Before the server stops listening, while its connections are open: streams take their leave.
  app.addHook('preClose', async () => {
    const begun = performance.now()
    await streams.drain()
    letGo(begun)
  })
  return app
}

function createServer (logger: Logger | false): FastifyInstance {
  const ofRequests: FastifyBaseLogger | false = logger !== false && logger.child({}, { serializers })
  const tellsOfEach = logger !== false && logger.isLevelEnabled('info')
  const app = fastify({
    // Where it is not told of each request, nothing is done to learn when its answer has been given.
    ...(tellsOfEach && ofRequests !== false ? { loggerInstance: ofRequests } : { logger: false }),
    logController: new RequestLog(),
    genReqId: requestIds(),
    bodyLimit: LARGEST_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      requireHostHeader: false // refuseBrokenRequests sees to it, in the envelope
    },
    routerOptions: { maxParamLength: LONGEST_SEGMENT, ignoreTrailingSlash: false },
    trustProxy: false,
    // A 503 would strand an EventSource: until the end, whoever gets through is answered.
    return503OnClosing: false,
    frameworkErrors: answerError,
    clientErrorHandler: answerConnectionErrors(REQUEST_TIMEOUT_MS)
  })
  if (ofRequests !== false && !tellsOfEach) app.setChildLoggerFactory(loggerWhenNeeded(ofRequests))
  return app
}

/** Ids of this process's requests, of all that there are: a prefix of its own, 72 bits at random, and a number. */
function requestIds (): () => string {
  const prefix = randomBytes(9).toString('base64url')
  let last = 0
  return () => `${prefix}-${(++last).toString(36)}`
}
