/** An event token that the application makes as a user can be revoked, like any other way to that user's stream. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { call } from '../support/process.ts'
import { openReader } from '../support/sse.ts'

let on: TestApp
beforeAll(async () => {
  on = await startApp()
  await on.user('amy')
})
afterAll(() => on.stop())

it('it is listed among the user\'s tokens, and its revocation ends its streams and is the last of it', async () => {
  const asAmy = { ...on.application, 'x-mitter-sudo-user-id': 'amy', 'idempotency-key': 'event-token-of-amy' }
  const listed = async (): Promise<string[]> => (await call(on.url, 'GET', '/v1/users/amy/tokens', on.application)).body.map(({ tokenId }: { tokenId: string }) => tokenId)
  const before = await listed()
  const { body } = await call(on.url, 'POST', '/v1/users/me/event-tokens', asAmy)
  expect((await call(on.url, 'POST', '/v1/users/me/event-tokens', asAmy)).body).toEqual(body)
  const [made, ...more] = (await listed()).filter(tokenId => !before.includes(tokenId))
  expect(more).toEqual([])

  const open = () => openReader(`${on.url}/v1/users/me/events?access_token=${body.eventToken}`)
  const reader = await open()
  await reader.until('caught-up')
  expect((await call(on.url, 'DELETE', `/v1/users/amy/tokens/${made}`, on.application)).status).toBe(204)
  await reader.ended
  expect(reader.frames.at(-1)).toMatchObject({ event: 'bye', json: { reason: 'expired' } })
  expect((await open()).status).toBe(401)
})
