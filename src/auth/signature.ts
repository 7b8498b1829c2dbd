/** Signed calls of the application (protocol 2, "Signature"), as mitter's server SDKs make them. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
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

/** How far a request's `Date` may be from this clock, in milliseconds. A nonce is kept for longer than twice this. */
const LARGEST_SKEW_MS = 25_000

/** 1 to 128 printable ASCII characters: it is stored. */
const NONCE = /^[!-~]{1,128}$/
const MD5 = /^[A-Za-z0-9+/]{22}==$/
const SHA1 = /^[A-Za-z0-9+/]{27}=$/
/** RFC 9110's date and what Java writes in its place. Zones that name no one offset (IST) are left out. */
const DATE = /^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|UT|Z|[ECMP][SD]T|[+-]\d{4})$/

/** Longest text that a refusal repeats as having been signed, in characters. */
const SHOWN_CHARACTERS = 600

/**
 * The nonce of a request whose signature is good: whoever calls this must take it (`take-nonce`) before anything is done.
 * The MD5 is vouched for from here on, but the body has not been compared with it: `alteration` does that.
 * `authorization` is what follows `Auth` in the header; `now` is in milliseconds. Throws `claimRejected`.
 */
export function verifySignature (
  request: SignedRequest, authorization: string, credentials: Pick<Credentials, 'accessKey' | 'accessSecret'>, now: number
): string {
  const { headers } = request
  // The last colon: base64 has none.
  const [, key, digest] = /^(\S+):([^\s:]*)$/.exec(authorization) ?? []
  if (key === undefined || digest === undefined || !SHA1.test(digest)) {
    throw refuse('claimRejected', 'A signature is written "Authorization: Auth <access key>:<digest>", the digest being HMAC-SHA1 in base64, 28 characters')
  }
  if (required(headers, 'X-Mitter-Application-Access-Key') !== key) {
    throw refuse('claimRejected', 'X-Mitter-Application-Access-Key differs from the access key in Authorization: send the same in both')
  }
  if (!sameText(key, credentials.accessKey)) throw refuse('claimRejected', 'The access key is unknown: sign with the key and the secret of this application')

  const date = required(headers, 'Date')
  mustBeNow(date, now)
  const nonce = required(headers, 'Nonce')
  if (!NONCE.test(nonce)) throw refuse('claimRejected', 'Nonce must be 1 to 128 printable ASCII characters without spaces')
  const md5 = required(headers, 'Content-Md5')
  if (!MD5.test(md5)) throw refuse('claimRejected', 'Content-Md5 must be the MD5 of the body (of the empty string where there is none) in base64, 24 characters')

  const textOf = (path: string) => [request.method, headers['content-type'] ?? 'null', md5, date, path, nonce].join('\n')
  const secret = Buffer.from(credentials.accessSecret, 'base64')
  // As text: base64 can say the same bytes in several ways, of which one is right. All have 28 characters.
  const good = (path: string) => timingSafeEqual(Buffer.from(createHmac('sha1', secret).update(textOf(path)).digest('base64')), Buffer.from(digest))
  if (!spellingsOf(request.path).some(good)) throw wrongDigest(textOf(request.path))
  return nonce
}

/**
 * Why a body is not the one that was signed; undefined: it is. `md5` is the `Content-Md5` of a signature that proved good.
 */
export function alteration (md5: string, body: Buffer): Refusal | undefined {
  const own = createHash('md5').update(body).digest('base64')
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

function mustBeNow (date: string, now: number): void {
  const time = DATE.test(date) ? Date.parse(date) : NaN
  if (Number.isNaN(time)) throw refuse('claimRejected', `Date must be the time of the call as HTTP writes it, for example "${new Date(now).toUTCString()}"`)
  if (Math.abs(now - time) > LARGEST_SKEW_MS) {
    throw refuse('claimRejected',
      `Date is ${new Date(time).toUTCString()}, but the clock here says ${new Date(now).toUTCString()}: they may differ by ${LARGEST_SKEW_MS / 1000} seconds; set the clock, and sign each call anew`)
  }
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

function sameText (one: string, other: string): boolean {
  return timingSafeEqual(createHash('sha256').update(one).digest(), createHash('sha256').update(other).digest())
}
