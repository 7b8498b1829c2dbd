/** Signed calls of the application (protocol 2, "Signature"), as mitter's server SDKs make them. */
import { createHmac, createSecretKey, hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { refuse, type Refusal } from '../errors.ts'
import type { Credentials } from './credentials.ts'

/** What the signature of a request depends on; the query is not signed, and a body only by its MD5. */
export interface SignedRequest {
  method: string
  /** As it was sent, percent-encoded, without the query. */
  path: string
  headers: IncomingHttpHeaders
}

/** What a signature that proved good leaves to be done. */
export interface Signature {
  /** Good for one call: whoever verifies it must see that it is taken before anything is done. */
  nonce: string
  /** The MD5 that the body must have: it is vouched for, but the body has not been compared with it (`alteration`). */
  md5: string
  /** Until when the nonce may be taken, in milliseconds since the epoch: later, it might have been forgotten. */
  until: number
}

/** How far a request's `Date` may be from this clock, in milliseconds. */
const LARGEST_SKEW_MS = 25_000

/**
 * How long a request may take from its headers to its command, in milliseconds: its body may be slow, and wait. A nonce is
 * kept for longer than this and twice the skew (`NONCE_MS`).
 */
const LONGEST_WAY_MS = 35_000

/** 1 to 128 printable ASCII characters: it is stored. */
const NONCE = /^[!-~]{1,128}$/
const MD5 = /^[A-Za-z0-9+/]{22}==$/
const SHA1 = /^[A-Za-z0-9+/]{27}=$/
/** RFC 9110's date and what Java writes in its place. Zones that name no one offset (IST) are left out. */
const DATE = /^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|UT|Z|[ECMP][SD]T|[+-]\d{4})$/

/** Longest text that a refusal repeats as having been signed, in characters. */
const SHOWN_CHARACTERS = 600

/**
 * Makes the function that verifies signatures; it throws `claimRejected`. Its `authorization` is what follows `Auth` in the
 * header, its `now` is in milliseconds since the epoch.
 */
export function signatureVerifier ({ accessKey, accessSecret }: Pick<Credentials, 'accessKey' | 'accessSecret'>) {
  const ownKey = Buffer.from(accessKey)
  const secret = createSecretKey(accessSecret, 'base64')
  // As text: base64 can say the same bytes in several ways, of which one is right. All have 28 characters.
  const digestOf = (text: string) => Buffer.from(createHmac('sha1', secret).update(text).digest('base64'))

  return (request: SignedRequest, authorization: string, now: number): Signature => {
    const { method, headers } = request
    // The last colon: base64 has none.
    const colon = authorization.lastIndexOf(':')
    const [key, digest] = [authorization.slice(0, colon), authorization.slice(colon + 1)]
    if (colon < 1 || /\s/.test(key) || !SHA1.test(digest)) {
      throw refuse('claimRejected', 'A signature is written "Authorization: Auth <access key>:<digest>", the digest being HMAC-SHA1 in base64, 28 characters')
    }
    if (required(headers, 'X-Mitter-Application-Access-Key') !== key) {
      throw refuse('claimRejected', 'X-Mitter-Application-Access-Key differs from the access key in Authorization: send the same in both')
    }
    if (!isSame(Buffer.from(key), ownKey)) throw refuse('claimRejected', 'The access key is unknown: sign with the key and the secret of this application')

    const date = required(headers, 'Date')
    const time = timeOf(date, now)
    const nonce = required(headers, 'Nonce')
    if (!NONCE.test(nonce)) throw refuse('claimRejected', 'Nonce must be 1 to 128 printable ASCII characters without spaces')
    const md5 = required(headers, 'Content-Md5')
    if (!MD5.test(md5)) throw refuse('claimRejected', 'Content-Md5 must be the MD5 of the body (of the empty string where there is none) in base64, 24 characters')

    const { path } = request
    const shown = Buffer.from(digest)
    const textOf = (path: string) => `${method}\n${headers['content-type'] ?? 'null'}\n${md5}\n${date}\n${path}\n${nonce}`
    if (!spellingsOf(path).some(spelling => timingSafeEqual(digestOf(textOf(spelling)), shown))) throw wrongDigest(textOf(path))
    return { nonce, md5, until: time + LARGEST_SKEW_MS + LONGEST_WAY_MS }
  }
}

/** Throws `claimRejected` where a request has come so late to what it asks for that its nonce might have been forgotten. */
export function mustBeInTime ({ until }: Signature, now: number): void {
  if (now > until) throw refuse('claimRejected', 'The call took too long to arrive: sign it anew, and send it at once')
}

/**
 * Why a body is not the one that was signed; undefined: it is. `md5` is the `Content-Md5` of a signature that proved good.
 */
export function alteration (md5: string, body: Buffer): Refusal | undefined {
  const own = hash('md5', body, 'base64')
  // Not in constant time: neither is a secret.
  if (own === md5) return undefined
  return refuse('claimRejected', `Content-Md5 is ${md5}, but the MD5 of the ${body.length} bytes of body that arrived is ${own}: sign the bytes that are sent`)
}

/** A path as its signer may have had it: as sent, without the slash in front (ten methods of the node SDK), decoded (Java). */
function spellingsOf (path: string): string[] {
  const spellings = [path]
  if (path.startsWith('/')) spellings.push(path.slice(1))
  if (path.includes('%')) {
    try {
      spellings.push(decodeURIComponent(path))
    } catch {
      // Not UTF-8: nobody can have signed it decoded.
    }
  }
  return spellings
}

/** What a `Date` says, in milliseconds. Throws where that is not now. */
function timeOf (date: string, now: number): number {
  const time = DATE.test(date) ? Date.parse(date) : NaN
  if (Number.isNaN(time)) throw refuse('claimRejected', `Date must be the time of the call as HTTP writes it, for example "${new Date(now).toUTCString()}"`)
  if (Math.abs(now - time) > LARGEST_SKEW_MS) {
    throw refuse('claimRejected',
      `Date is ${new Date(time).toUTCString()}, but the clock here says ${new Date(now).toUTCString()}: they may differ by ${LARGEST_SKEW_MS / 1000} seconds; set the clock, and sign each call anew`)
  }
  return time
}

function wrongDigest (text: string): Refusal {
  const shown = JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text)
  return refuse('claimRejected',
    'The signature is wrong. Signed are METHOD, Content-Type (null where there is none), Content-Md5, Date, path without query, and Nonce, ' +
    `with a line feed between them, by HMAC-SHA1 with the access secret, decoded from base64, as key. This call's text is ${shown}`)
}

function required (headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name.toLowerCase()]
  if (value === undefined || value.length === 0) throw refuse('claimRejected', `A signed call needs the header ${name}, which is missing`)
  return String(value)
}

/** In a time that depends on nothing but their lengths. */
function isSame (one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}
