/** Users and tokens over HTTP (protocol 7). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startService, type Service } from './service.ts'

let service: Service
beforeAll(async () => { service = await startService(['@amy', 'bob']) })
afterAll(() => service.stop())

const call: Service['call'] = async (request, options) => await service.call(request, options)

describe('a user', () => {
  it('is made by the application, under an id of its own or a UUID', async () => {
    const named = await call('POST /v1/users', { body: { userId: '#1', screenName: { screenName: 'One' }, systemUser: true, userLocators: [{ '@type': 'email', locator: 'email:a@b.example' }] } })
    expect([named.statusCode, named.json()]).toEqual([200, { identifier: '#1' }])
    expect((await call('POST /v1/users', { body: {} })).json().identifier).toMatch(/^[0-9a-f-]{36}$/)
    expect((await call('GET /v1/users/%231')).json()).toEqual({
      userId: '#1',
      identifier: '#1',
      screenName: { screenName: 'One' },
      systemUser: true,
      synthetic: false,
      userLocators: [{ '@type': 'email', locator: 'email:a@b.example' }],
      audit: { createdAt: expect.any(Number), updatedAt: expect.any(Number) },
      auditInfo: { createdAt: expect.any(Number), updatedAt: expect.any(Number) }
    })
  })

  it('is not made by a user', async () => {
    expect((await call('POST /v1/users', { as: '@amy', body: { userId: 'eve' } })).statusCode).toBe(403)
  })

  it.each([['me', 400], ['.system', 400], ['has space', 400], ['x'.repeat(73), 400], ['bob', 409]])('may not be called %s', async (userId, status) => {
    expect((await call('POST /v1/users', { body: { userId } })).statusCode).toBe(status)
  })

  it('reads itself, by id or as me, and no other', async () => {
    expect((await call('GET /v1/users/me', { as: '@amy' })).json().userId).toBe('@amy')
    expect((await call('GET /v1/users/%40amy', { as: '@amy' })).json().userId).toBe('@amy')
    expect((await call('GET /v1/users/bob', { as: '@amy' })).statusCode).toBe(403)
  })

  it('is listed with others for the application alone, page by page', async () => {
    const page = await call('GET /v1/users?limit=1')
    expect(page.json()).toHaveLength(1)
    expect(Number(page.headers['x-mitter-paginated-estimated-count'])).toBeGreaterThan(1)
    expect((await call('GET /v1/users', { as: '@amy' })).statusCode).toBe(403)
  })

  it('is named by the application where it says me', async () => {
    const response = await call('GET /v1/users/me')
    expect([response.statusCode, response.json().errorCode]).toEqual([400, 'missing_context'])
  })

  it('is deleted by the application, and its id and tokens with it', async () => {
    await call('POST /v1/users', { body: { userId: 'carl' } })
    const { userToken } = (await call('POST /v1/users/carl/tokens')).json()
    const asCarl = { as: null, headers: { authorization: `Bearer ${userToken.signedToken}` } }
    expect((await call('GET /v1/users/me', asCarl)).statusCode).toBe(200)
    expect((await call('DELETE /v1/users/carl', { as: 'bob' })).statusCode).toBe(403)
    expect((await call('DELETE /v1/users/carl')).statusCode).toBe(204)
    expect((await call('GET /v1/users/me', asCarl)).statusCode).toBe(401)
    expect((await call('GET /v1/users/carl')).statusCode).toBe(404)
    expect((await call('POST /v1/users', { body: { userId: 'carl' } })).statusCode).toBe(409)
  })
})

describe('a token', () => {
  /** The token and its id, asked for by the application. */
  const tokenOf = async (userId: string) => (await call(`POST /v1/users/${userId}/tokens`)).json().userToken
  const showing = (token: string) => ({ as: null, headers: { authorization: `Bearer ${token}` } })

  it('is answered in the form that the SDKs read', async () => {
    expect((await call('POST /v1/users/me/tokens', { as: 'bob' })).json()).toEqual({
      userToken: { signedToken: expect.stringContaining('.'), supportedHeaders: [], supportedCookies: [], tokenId: expect.any(String) }
    })
  })

  it('is nobody else\'s to ask for', async () => {
    expect((await call('POST /v1/users/bob/tokens', { as: '@amy' })).statusCode).toBe(403)
    expect((await call('POST /v1/users/nobody/tokens')).statusCode).toBe(404)
  })

  it('is listed without itself, and revoked by its id', async () => {
    const { tokenId, signedToken } = await tokenOf('bob')
    const listed = (await call('GET /v1/users/me/tokens', { as: 'bob' })).json()
    expect(listed).toContainEqual(expect.objectContaining({ tokenId, createdAt: expect.any(Number), expiresAt: expect.any(Number) }))
    expect(JSON.stringify(listed)).not.toContain(signedToken)
    expect((await call(`DELETE /v1/users/bob/tokens/${tokenId}`, { as: '@amy' })).statusCode).toBe(403)
    expect((await call(`DELETE /v1/users/bob/tokens/${tokenId}`, { as: 'bob' })).statusCode).toBe(204)
    expect((await call('GET /v1/users/me', showing(signedToken))).statusCode).toBe(401)
  })

  it('is not revoked where another one in the list does not exist', async () => {
    const { tokenId, signedToken } = await tokenOf('bob')
    expect((await call(`DELETE /v1/users/bob/tokens/${tokenId},unknown`)).statusCode).toBe(404)
    expect((await call('GET /v1/users/me', showing(signedToken))).statusCode).toBe(200)
  })

  it('is revoked by logging out with it', async () => {
    const { signedToken } = await tokenOf('bob')
    expect((await call('GET /v1/users/me/logout', showing(signedToken))).statusCode).toBe(204)
    expect((await call('GET /v1/users/me', showing(signedToken))).statusCode).toBe(401)
  })

  it('cannot be revoked by logging out without one', async () => {
    for (const headers of [{}, { 'x-mitter-sudo-user-id': 'bob' }]) {
      expect((await call('GET /v1/users/me/logout', { headers })).json().errorCode).toBe('missing_context')
    }
  })

  it('for events is good for nothing else', async () => {
    const { eventToken, expiresAt } = (await call('POST /v1/users/me/event-tokens', { as: 'bob' })).json()
    expect(expiresAt).toBeGreaterThan(Date.now())
    expect((await call('GET /v1/users/me', showing(eventToken))).statusCode).toBe(401)
  })
})
