/** Signs calls as protocol 2 says, by code of its own: what it makes and what the service checks share nothing. */
import { createHash, createHmac, randomUUID } from 'node:crypto'

export interface Signing {
  method: string
  /** The path as it is signed. */
  path: string
  /** As it will be sent; none: an empty one. */
  body?: string | Buffer
  /** Absent: application/json with a body, and no header without one. */
  contentType?: string
  date?: string
  nonce?: string
  key?: string
  /** Base64. */
  secret: string
}

export type SignedHeaders = Record<'authorization' | 'x-mitter-application-access-key' | 'date' | 'nonce' | 'content-md5', string> & { 'content-type'?: string }

export function signed ({ method, path, body = '', contentType = body === '' ? undefined : 'application/json', date = httpDate(0), nonce = randomUUID(), key = 'key', secret }: Signing): SignedHeaders {
  const md5 = createHash('md5').update(body).digest('base64')
  const text = `${method}\n${contentType ?? 'null'}\n${md5}\n${date}\n${path}\n${nonce}`
  const digest = createHmac('sha1', Buffer.from(secret, 'base64')).update(text, 'utf8').digest('base64')
  return {
    authorization: `Auth ${key}:${digest}`,
    'x-mitter-application-access-key': key,
    date,
    nonce,
    'content-md5': md5,
    ...(contentType === undefined ? {} : { 'content-type': contentType })
  }
}

/** The time in so many seconds, as HTTP writes it. */
export function httpDate (seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toUTCString()
}
