/** `@mitter-io/node` signs every call; what it signs wrongly, or too late, is refused (protocol 2). */
import { User } from '@mitter-io/models'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { asApplication, spawnService, type ServiceProcess } from '../support/process.ts'
import { nodeSdk } from './sdks.ts'

let service: ServiceProcess

beforeAll(async () => { service = await spawnService() })
afterEach(() => { vi.useRealTimers() })
afterAll(async () => { await service.stop() })

const user = (userId: string) => new User(userId, [], { screenName: 'Zoë 😀' })
const clientsOf = (credentials = service.credentials) => nodeSdk({ url: service.url, credentials }).clients()
const claimRejected = (part: string) => ({ response: { status: 401, data: { errorCode: 'claim_rejected', message: expect.stringContaining(part) } } })
const isThere = async (userId: string) => (await asApplication(service, 'GET', `/v1/users/${userId}`)).status === 200

/** The clock of the SDK alone: the service is a process of its own. */
const setClock = (seconds: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 })

/** A call that reaches the service and is answered 404, so that the SDK shows the request that it sent. */
const sentRequest = async () => await clientsOf().users().getUser('nobody-here').then(
  () => { throw new Error('there is such a user') },
  error => ({ status: error.response.status as number, url: error.config.url as string, headers: error.config.headers as Record<string, string> })
)

test('it calls with a signature, not with its secret', async () => {
  const { status, headers } = await sentRequest()
  expect(status).toBe(404)
  expect(headers).toMatchObject({
    Authorization: expect.stringMatching(`^Auth ${service.credentials.accessKey}:[A-Za-z0-9+/]{27}=$`),
    'X-Mitter-Application-Access-Key': service.credentials.accessKey,
    'Content-Md5': '1B2M2Y8AsgTpgAmY7PhCfg=='
  })
})

test('a body beyond ASCII is good as it signs it', async () => {
  expect(await clientsOf().users().createUser(user('zoe'))).toEqual({ identifier: 'zoe' })
  expect(await clientsOf().users().getUser('zoe')).toMatchObject({ screenName: { screenName: 'Zoë 😀' } })
})

test('an id that it puts into the path percent-encoded is good as it signs it', async () => {
  await clientsOf().users().createUser(user('#zoe'))
  expect(await clientsOf().users().getUser('%23zoe')).toMatchObject({ userId: '#zoe' })
})

test('a wrong secret is refused', async () => {
  const clients = clientsOf({ ...service.credentials, accessSecret: Buffer.alloc(32).toString('base64') })
  await expect(clients.users().createUser(user('by-wrong-secret'))).rejects.toMatchObject(claimRejected('The signature is wrong'))
  expect(await isThere('by-wrong-secret')).toBe(false)
})

test('a wrong key is refused', async () => {
  const clients = clientsOf({ ...service.credentials, accessKey: 'another' })
  await expect(clients.users().createUser(user('by-wrong-key'))).rejects.toMatchObject(claimRejected('The access key is unknown'))
})

test.each([['late', 'late', -40], ['early', 'early', 40]])('a clock that is too %s is refused, and told by how much', async (_, userId, seconds) => {
  setClock(seconds)
  await expect(clientsOf().users().createUser(user(userId))).rejects.toMatchObject(claimRejected('they may differ by 25 seconds'))
  expect(await isThere(userId)).toBe(false)
})

test.each([-15, 15])('a clock that is %i s off is good', async (seconds) => {
  setClock(seconds)
  expect(await clientsOf().users().getUser('zoe')).toMatchObject({ userId: 'zoe' })
})

test('the same request again is refused: its nonce was used', async () => {
  const { url, headers } = await sentRequest()
  const again = await fetch(url, { headers })
  expect(again.status).toBe(401)
  expect(await again.json()).toMatchObject({ errorCode: 'claim_rejected', message: expect.stringContaining('This Nonce was used') })
})
