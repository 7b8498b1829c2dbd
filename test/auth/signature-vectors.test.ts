/** Signatures that were made elsewhere, with Python's hmac and hashlib, and the edges of what is read in headers. */
import { describe, expect, test } from 'vitest'
import { signatureVerifier } from '../../src/auth/signature.ts'

const credentials = { accessKey: 'key', accessSecret: Buffer.alloc(32, 1).toString('base64') }
const NOW = Date.UTC(2030, 0, 1)
const DATE = 'Tue, 01 Jan 2030 00:00:00 GMT'
const MD5_OF_NOTHING = '1B2M2Y8AsgTpgAmY7PhCfg=='

interface Vector { method: string, path: string, md5?: string, nonce: string, digest: string, contentType?: string }

const list: Vector = { method: 'GET', path: '/v1/channels', nonce: 'abcdef0123456789', digest: 'hYRTXvcAa39ZHH9OTcEy5J3zivo=' }
const vectors: Array<[string, Vector]> = [
  ['a GET, which has no content type', list],
  ['a POST with a body', {
    method: 'POST', path: '/v1/users', md5: 'h39Uqn0PDi9/++QZzUg5Jg==', nonce: '0123456789abcdef', digest: 'WOkGxElSgWW90tQlq275ffQUurc=', contentType: 'application/json'
  }],
  ['a path signed without the slash in front', { method: 'DELETE', path: '/v1/channels/football-fans/messages', nonce: 'n-1', digest: 'sSy3fARXwIPoC+fL75yovS9aYYI=' }],
  ['a path signed decoded', { method: 'GET', path: '/v1/users/%23%C3%A4my', nonce: 'n-2', digest: 'GUT82Y/+rBoS1Qfq7XJxHO1HCC0=' }]
]

function verify ({ method, path, md5 = MD5_OF_NOTHING, nonce, digest, contentType }: Vector, changes: Record<string, string> = {}, now = NOW): string {
  const headers = {
    'x-mitter-application-access-key': 'key', date: DATE, nonce, 'content-md5': md5, ...(contentType === undefined ? {} : { 'content-type': contentType }), ...changes
  }
  return signatureVerifier(credentials)({ method, path, headers }, `key:${digest}`, now).nonce
}

test.each(vectors)('%s is good, and gives its nonce', (_, vector) => {
  expect(verify(vector)).toBe(vector.nonce)
})

describe('nothing that is signed can be changed:', () => {
  test.each<[string, Partial<Vector>, Record<string, string>]>([
    ['method', { method: 'HEAD' }, {}],
    ['path', { path: '/v1/users' }, {}],
    ['content type', { contentType: 'application/json' }, {}],
    ['the literal null as a content type is no difference, an empty one is', { contentType: '' }, {}],
    ['MD5', { md5: 'h39Uqn0PDi9/++QZzUg5Jg==' }, {}],
    ['date', {}, { date: 'Tue, 01 Jan 2030 00:00:01 GMT' }],
    ['nonce', { nonce: 'abcdef0123456788' }, {}],
    ['digest', { digest: 'hYRTXvcAa39ZHH9OTcEy5J3zivp=' }, {}]
  ])('%s', (_, vector, headers) => {
    expect(() => verify({ ...list, ...vector }, headers)).toThrow('The signature is wrong')
  })
})

describe('the clock', () => {
  test.each([-25_000, 0, 25_000])('may differ by %i ms', (skew) => {
    expect(verify(list, {}, NOW + skew)).toBe(list.nonce)
  })

  test.each([-25_001, 25_001])('may not differ by %i ms, and both times are told', (skew) => {
    expect(() => verify(list, {}, NOW + skew)).toThrow(`Date is ${DATE}, but the clock here says ${new Date(NOW + skew).toUTCString()}`)
  })
})

/** What the date says is read before the digest is: a date that is understood and now makes the digest wrong. */
test.each(['Tue, 1 Jan 2030 00:00:00 GMT', 'Tue, 01 Jan 2030 00:00:00 UTC', 'Mon, 31 Dec 2029 16:00:00 PST', '01 Jan 2030 05:30:00 +0530'])(
  'a date may be written %s', (date) => {
    expect(() => verify(list, { date })).toThrow('The signature is wrong')
  })

test.each(['now', '2030-01-01', '2030-01-01T00:00:00', 'Tue, 01 Jan 2030 00:00:00', 'Tue, 01 Jan 2030 05:30:00 IST', `${DATE}, ${DATE}`, '1893456000000'])(
  'a date may not be written %s, and how it is written is told', (date) => {
    expect(() => verify(list, { date })).toThrow(`for example "${DATE}"`)
  })
