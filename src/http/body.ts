/** Reading request bodies: JSON in UTF-8, or nothing (protocol 1, rules 3, 4 and 10). */
import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { alteration } from '../auth/signature.ts'
import { refuse, type Refusal } from '../errors.ts'
import type { Turns } from './turns.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it came, which is UTF-8; undefined where there was none. */
    bodyText: string | undefined
    /** The MD5 that the body must have, because the caller signed it; undefined where it did not. */
    signedMd5: string | undefined
  }
}

/** Bytes of a body (protocol 1, rule 9). */
export const LARGEST_BODY_BYTES = 256 * 1024

/** Levels of objects and arrays within each other (protocol 1, rule 9): what recurses over JSON must not run out of stack. */
const DEEPEST_NESTING_LEVELS = 32

/** Values in a body (protocol 1, rule 9): a channel of 1,000 participants with 16 roles each has 22,000. */
const MOST_VALUES = 32_768

type Done = (err: Error | null, body?: unknown) => void

/** Bytes from which on a body costs so much to read, and to keep, that it waits for its turn. */
const COSTLY_BODY_BYTES = 16 * 1024

/** Replaces Fastify's own body parsers. An empty body is no body, whatever its content type says. */
export function parseBodies (app: FastifyInstance, turns: Turns): void {
  app.decorateRequest('bodyText')
  app.decorateRequest('signedMd5')
  app.removeAllContentTypeParsers()
  app.addHook('preParsing', (request, reply, payload, done) => {
    const encoding = request.headers['content-encoding']
    const encoded = encoding !== undefined && encoding.trim().toLowerCase() !== 'identity' && !request.is404
    done(encoded ? refuse('unsupportedMediaType', 'Send the body as it is, without Content-Encoding') : null, payload)
  })

  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    if (bytes.length === 0 || request.is404) return done(null, undefined)
    if (bytes.length < COSTLY_BODY_BYTES) return read(request, bytes, done)
    turns.next(request.caller).then(() => read(request, bytes, done)).catch(done)
  })

  function read (request: FastifyRequest, bytes: Buffer, done: Done): void {
    const altered = alterationOf(request, bytes)
    if (altered !== undefined) return done(altered)
    if (!isUtf8(bytes)) return done(refuse('invalidInputSyntax', 'The body is not UTF-8: send JSON in UTF-8'))
    const excess = bytes.length < MOST_VALUES ? undefined : excessOf(bytes)
    if (excess !== undefined) return done(excess)
    const text = request.bodyText = bytes.toString('utf8')
    let body: unknown
    try {
      body = JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text)
    } catch (err) {
      // What the engine says quotes the body, so it stays out of logs: a refusal is not logged.
      return done(refuse('invalidInputSyntax', `The body is not JSON: ${(err as Error).message.toWellFormed()}`))
    }
    const flaw = flawOf(body, 1)
    if (flaw !== undefined) return done(refuse('invalidInputSyntax', flaw))
    done(null, body)
  }

  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    if (bytes.length === 0 || request.is404) return done(null, undefined)
    done(alterationOf(request, bytes) ?? refuse('unsupportedMediaType', 'Send the body as JSON, with Content-Type: application/json'))
  })

  // A request without a body meets no parser: one that was signed with a body has lost it on the way.
  app.addHook('preValidation', (request, reply, done) => {
    const altered = request.bodyText === undefined ? alterationOf(request, NO_BODY) : undefined
    if (altered === undefined) done()
    else done(altered)
  })
}

const NO_BODY = Buffer.alloc(0)

/** Why these bytes are not what the caller signed (protocol 2): before anything reads meaning into them. */
function alterationOf ({ signedMd5 }: FastifyRequest, bytes: Buffer): Refusal | undefined {
  return signedMd5 === undefined ? undefined : alteration(signedMd5, bytes)
}

const BYTE_ORDER_MARK = '\uFEFF'

/** What would cost much to make values of, found in one pass over the bytes. Shorter bodies than one of so many bytes cannot have as many values. */
function excessOf (bytes: Buffer): Refusal | undefined {
  let [values, depth, quoted, opened] = [1, 0, false, false]
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!
    if (quoted) {
      if (byte === Byte.backslash) index++
      else if (byte === Byte.quote) quoted = false
      continue
    }
    if (byte === Byte.space || byte === Byte.tab || byte === Byte.lineFeed || byte === Byte.carriageReturn) continue
    const closes = byte === Byte.closingBracket || byte === Byte.closingBrace
    // The first one of an array or object; each comma brings one more.
    if (opened && !closes) values++
    opened = byte === Byte.openingBracket || byte === Byte.openingBrace
    if (byte === Byte.quote) quoted = true
    else if (byte === Byte.comma) values++
    else if (closes) depth--
    else if (opened && ++depth > DEEPEST_NESTING_LEVELS) return refuse('invalidInputSyntax', tooDeep)
    if (values > MOST_VALUES) return refuse('limitExceeded', `The body has more than ${MOST_VALUES} values: send fewer`)
  }
  return undefined
}

/** Of the characters that JSON's structure is made of (RFC 8259, 2). */
const Byte = {
  tab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  backslash: 0x5c,
  openingBracket: 0x5b,
  closingBracket: 0x5d,
  openingBrace: 0x7b,
  closingBrace: 0x7d
} as const

/** What JSON can say and we could not keep as it is, or would fall over: found in one pass over the values. */
function flawOf (value: unknown, level: number): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : loneSurrogate
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'The body has a number that is too large: send a smaller one, or a string'
  if (typeof value !== 'object' || value === null) return undefined
  if (level > DEEPEST_NESTING_LEVELS) return tooDeep
  if (Array.isArray(value)) {
    for (const item of value) {
      const flaw = flawOf(item, level + 1)
      if (flaw !== undefined) return flaw
    }
    return undefined
  }
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key]
    const flaw = flawOfKey(key, field) ?? flawOf(field, level + 1)
    if (flaw !== undefined) return flaw
  }
  return undefined
}

/** A key that would reach an object's prototype where somebody copies the object is refused. */
function flawOfKey (key: string, field: unknown): string | undefined {
  if (!key.isWellFormed()) return loneSurrogate
  const reaches = key === '__proto__' || (key === 'constructor' && typeof field === 'object' && field !== null && Object.hasOwn(field, 'prototype'))
  return reaches ? 'The body has a key "__proto__", or "constructor" with "prototype" in it: rename it' : undefined
}

const tooDeep = `The body is nested deeper than ${DEEPEST_NESTING_LEVELS} levels: make it flatter`
const loneSurrogate = 'The body has half a surrogate pair (a \\ud800 to \\udfff without its other half): send whole characters'
