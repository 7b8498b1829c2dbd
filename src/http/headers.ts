/** Headers without which a request cannot be taken at its word: looked at before anything else is. */
import type { FastifyRequest } from 'fastify'
import { CREDENTIAL_HEADERS } from '../auth/authenticate.ts'
import { refuse } from '../errors.ts'
import { refuseField } from './validation.ts'

/** Headers that say who or what is meant, beside those of credentials. */
const MEANING_HEADERS = ['X-Mitter-Sudo-User-Id', 'Idempotency-Key', 'Last-Event-ID']

type Raw = FastifyRequest['raw']
type Done = (err?: Error) => void

/** An `onRequest` hook of every route: what Node would refuse, or overlook, in a way of its own (RFC 9112, 3.2; RFC 9110, 10.1.1). */
export function refuseBrokenRequests ({ raw }: FastifyRequest, _reply: unknown, done: Done): void {
  const { headers, httpVersion } = raw
  if (headers.host === undefined && httpVersion === '1.1') throw refuse('badRequest', 'An HTTP/1.1 request names its host: send the header Host')
  if (hasRepeats(raw) && isRepeated(raw, 'Host')) throw refuse('badRequest', 'Host is given more than once: send it once')
  if (headers.expect !== undefined && !MEETABLE_EXPECTATION.test(headers.expect) && httpVersion === '1.1') {
    throw refuse('expectationFailed', 'Expect can be 100-continue only: send that, or leave the header out')
  }
  done()
}

/** What Node, which sends the 100, takes for it. */
const MEETABLE_EXPECTATION = /(?:^|\W)100-continue(?:$|\W)/i

/**
 * An `onRequest` hook, to come before `authenticated`: of two headers that say who or what is meant, Node keeps the first or
 * joins them, and something on the way may have looked at the other one.
 */
export function refuseRepeatedHeaders ({ raw }: FastifyRequest, _reply: unknown, done: Done): void {
  if (!hasRepeats(raw)) return done()
  for (const name of CREDENTIAL_HEADERS) {
    if (isRepeated(raw, name)) throw refuse('claimRejected', `${name} is given more than once: send it once`)
  }
  for (const name of MEANING_HEADERS) {
    if (isRepeated(raw, name)) throw refuseField(`headers/${name.toLowerCase()}`, 'is given more than once: send it once')
  }
  done()
}

/** Whether a request has any header more than once: then it has more lines than names. */
function hasRepeats ({ headers, rawHeaders }: Raw): boolean {
  return Object.keys(headers).length * 2 !== rawHeaders.length
}

/** Whether a request has a header more than once. Most names differ in their lengths already. */
function isRepeated ({ rawHeaders }: Raw, name: string): boolean {
  const wanted = name.toLowerCase()
  let found = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const header = rawHeaders[index]!
    if (header.length === wanted.length && header.toLowerCase() === wanted) found++
  }
  return found > 1
}
