/** `Idempotency-Key` (protocol 6): a repeat answers what the first one answered. */
import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Idempotency } from '../store/contract/commands.ts'
import { pathOf } from './envelope.ts'

/** Headers of a route that takes the key. */
export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(Type.String({
    minLength: 8,
    maxLength: 128,
    pattern: '^[ -~]+$',
    description: '8 to 128 printable ASCII characters: a repeat of the same request with the same key answers what the first one answered, for 24 hours',
    examples: ['4b1e5c0a-send-1']
  }))
})

/** What goes into the command; nothing where the caller sent no key. */
export function idempotencyOf (request: FastifyRequest): { idempotency?: Idempotency } {
  const key = request.headers['idempotency-key']
  if (typeof key !== 'string') return {}
  const fingerprint = hash('sha256', `${request.method}\n${pathOf(request.url)}\n${request.bodyText ?? ''}`, 'hex')
  return { idempotency: { key, fingerprint } }
}
