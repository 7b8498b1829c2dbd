/** What a page of another origin may do (protocol 1, rule 7). No cookies, so no credentials in the sense of CORS. */
import type { FastifyCorsOptions } from '@fastify/cors'

/** Seconds that a browser may keep the answer to a preflight: two hours, the most that Chromium does. */
const PREFLIGHT_SECONDS = 7200

export function corsOptions (origins: string[]): FastifyCorsOptions {
  return {
    origin: origins,
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'Authorization', 'Content-Type', 'X-Issued-Mitter-User-Authorization', 'X-Mitter-Application-Id',
      'X-Mitter-Application-Access-Key', 'X-Mitter-Sudo-User-Id', 'Last-Event-ID', 'Idempotency-Key', 'Prefer'
    ],
    exposedHeaders: ['X-Mitter-Paginated-Estimated-Count', 'Retry-After', 'X-Event-Cursor', 'X-Relay-Status', 'Link'],
    maxAge: PREFLIGHT_SECONDS,
    // An OPTIONS that is no preflight is answered as one, not with an error of a shape of its own.
    strictPreflight: false
  }
}
