/** Headers without which a request cannot be taken at its word: hooks that look at them before anything else does. */
import type { FastifyRequest } from 'fastify'
import { CREDENTIAL_HEADERS } from '../auth/authenticate.ts'
import { refuse } from '../errors.ts'
import { refuseField } from './validation.ts'

/** Headers that say who or what is meant, beside those of credentials. */
const MEANING_HEADERS = ['X-Mitter-Sudo-User-Id', 'Idempotency-Key', 'Last-Event-ID']

/** An `onRequest` hook of every route: what Node would refuse, or overlook, in a way of its own (RFC 9112, 3.2; RFC 9110, 10.1.1). */
export async function refuseBrokenRequests ({ raw, headers }: FastifyRequest): Promise<void> {
  if (headers.host === undefined && raw.httpVersion === '1.1') throw refuse('badRequest', 'An HTTP/1.1 request names its host: send the header Host')
  if (isRepeated(raw, 'Host')) throw refuse('badRequest', 'Host is given more than once: send it once')
  if (headers.expect !== undefined && !MEETABLE_EXPECTATION.test(headers.expect) && raw.httpVersion === '1.1') {
    throw refuse('expectationFailed', 'Expect can be 100-continue only: send that, or leave the header out')
  }
}

/** What Node, which sends the 100, takes for it. */
const MEETABLE_EXPECTATION = /(?:^|\W)100-continue(?:$|\W)/i

/**
 * An `onRequest` hook, to come before `authenticated`: of two headers that say who or what is meant, Node keeps the first or
 * joins them, and something on the way may have looked at the other one.
 */
export async function refuseRepeatedHeaders ({ raw }: FastifyRequest): Promise<void> {
  for (const name of CREDENTIAL_HEADERS) {
    if (isRepeated(raw, name)) throw refuse('claimRejected', `${name} is given more than once: send it once`)
  }
  for (const name of MEANING_HEADERS) {
    if (isRepeated(raw, name)) throw refuseField(`headers/${name.toLowerCase()}`, 'is given more than once: send it once')
  }
}

/** Whether a request has a header more than once. Most names differ in their lengths already. */
function isRepeated ({ rawHeaders }: FastifyRequest['raw'], name: string): boolean {
  const wanted = name.toLowerCase()
  let found = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const header = rawHeaders[index]!
    if (header.length === wanted.length && header.toLowerCase() === wanted) found++
  }
  return found > 1
}
