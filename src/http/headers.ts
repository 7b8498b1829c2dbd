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
  if (repeatedOf(raw).has('host')) throw refuse('badRequest', 'Host is given more than once: send it once')
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
  const repeated = repeatedOf(raw)
  if (repeated.size === 0) return
  for (const name of CREDENTIAL_HEADERS) {
    if (repeated.has(name.toLowerCase())) throw refuse('claimRejected', `${name} is given more than once: send it once`)
  }
  for (const name of MEANING_HEADERS) {
    if (repeated.has(name.toLowerCase())) throw refuseField(`headers/${name.toLowerCase()}`, 'is given more than once: send it once')
  }
}

/** Names, in small letters, of headers that a request has more than once. */
function repeatedOf ({ rawHeaders }: FastifyRequest['raw']): Set<string> {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    if (seen.has(name)) repeated.add(name)
    else seen.add(name)
  }
  return repeated
}
