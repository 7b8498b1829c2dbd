/** Reading request bodies: JSON in UTF-8, or nothing (protocol 1, rules 3, 4 and 10). */
import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { alteration } from '../auth/signature.ts'
import { refuse, type Refusal } from '../errors.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it came, byte for byte; undefined where there was none. */
    rawBody: Buffer | undefined
    /** The MD5 that the body must have, because the caller signed it; undefined where it did not. */
    signedMd5: string | undefined
  }
}

/** Bytes of a body (protocol 1, rule 9). */
export const LARGEST_BODY_BYTES = 256 * 1024

/** Levels of objects and arrays within each other (protocol 1, rule 9): what recurses over JSON must not run out of stack. */
const DEEPEST_NESTING_LEVELS = 32

type Done = (err: Error | null, body?: unknown) => void

/** Replaces Fastify's own body parsers. An empty body is no body, whatever its content type says. */
export function parseBodies (app: FastifyInstance): void {
  // Refuses keys that would reach an object's prototype.
  const parseJson = app.getDefaultJsonParser('error', 'error') as (request: unknown, text: string, done: Done) => void
  app.decorateRequest('rawBody')
  app.decorateRequest('signedMd5')
  app.removeAllContentTypeParsers()
  app.addHook('preParsing', (request, reply, payload, done) => {
    const encoding = request.headers['content-encoding']
    const encoded = encoding !== undefined && encoding.trim().toLowerCase() !== 'identity' && !request.is404
    done(encoded ? refuse('unsupportedMediaType', 'Send the body as it is, without Content-Encoding') : null, payload)
  })

  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    if (bytes.length === 0 || request.is404) return done(null, undefined)
    request.rawBody = bytes
    const altered = alterationOf(request, bytes)
    if (altered !== undefined) return done(altered)
    if (!isUtf8(bytes)) return done(refuse('invalidInputSyntax', 'The body is not UTF-8: send JSON in UTF-8'))
    const text = bytes.toString('utf8')
    parseJson(request, text, (err, body) => {
      if (err !== null) return done(unreadable(text))
      const flaw = flawOf(body)
      if (flaw !== undefined) return done(refuse('invalidInputSyntax', flaw))
      done(null, body)
    })
  })

  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    if (bytes.length === 0 || request.is404) return done(null, undefined)
    done(alterationOf(request, bytes) ?? refuse('unsupportedMediaType', 'Send the body as JSON, with Content-Type: application/json'))
  })

  // A request without a body meets no parser: one that was signed with a body has lost it on the way.
  app.addHook('preValidation', (request, reply, done) => {
    const altered = request.rawBody === undefined ? alterationOf(request, NO_BODY) : undefined
    if (altered === undefined) done()
    else done(altered)
  })
}

const NO_BODY = Buffer.alloc(0)

/** Why these bytes are not what the caller signed (protocol 2): before anything reads meaning into them. */
function alterationOf ({ signedMd5 }: FastifyRequest, bytes: Buffer): Refusal | undefined {
  return signedMd5 === undefined ? undefined : alteration(signedMd5, bytes)
}

/** Why the text was refused. What the engine says quotes the body, so it stays out of logs: a refusal is not logged. */
function unreadable (text: string): Refusal {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (err) {
    return refuse('invalidInputSyntax', `The body is not JSON: ${(err as Error).message.toWellFormed()}`)
  }
  return refuse('invalidInputSyntax', 'The body has a key "__proto__", or "constructor" with "prototype" in it: rename it')
}

/** What JSON can say and we could not keep as it is; level by level, so that depth costs no stack. */
function flawOf (body: unknown): string | undefined {
  let level: unknown[] = [body]
  for (let depth = 0; level.length > 0; depth++) {
    const next: unknown[] = []
    for (const value of level) {
      if (typeof value === 'string' && !value.isWellFormed()) return loneSurrogate
      if (typeof value === 'number' && !Number.isFinite(value)) return 'The body has a number that is too large: send a smaller one, or a string'
      if (typeof value !== 'object' || value === null) continue
      if (depth === DEEPEST_NESTING_LEVELS) return `The body is nested deeper than ${DEEPEST_NESTING_LEVELS} levels: make it flatter`
      if (Array.isArray(value)) {
        for (const item of value) next.push(item)
        continue
      }
      for (const [key, item] of Object.entries(value)) {
        if (!key.isWellFormed()) return loneSurrogate
        next.push(item)
      }
    }
    level = next
  }
  return undefined
}

const loneSurrogate = 'The body has half a surrogate pair (a \\ud800 to \\udfff without its other half): send whole characters'
