/** A token is known to be good in memory, and exactly as long as it is (protocol 2): what ends it ends it for the next call. */
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createStandings } from '../../src/auth/standing.ts'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import type { Entry } from '../../src/store/contract/log.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { startService, type Service } from '../http/service.ts'

let service: Service
let userId: string
let serial = 0

beforeAll(async () => { service = await startService() })
afterAll(async () => { await service.stop() })
beforeEach(async () => {
  userId = `user-${++serial}`
  await service.call('POST /v1/users', { body: { userId } })
})

interface Token { signedToken: string, tokenId: string }

const bearer = ({ signedToken }: Token) => ({ authorization: `Bearer ${signedToken}` })
const make = async (maker?: Token): Promise<Token> =>
  (await service.call(`POST /v1/users/${userId}/tokens`, maker === undefined ? {} : { as: null, headers: bearer(maker) })).json().userToken
const statusOf = async (token: Token) => (await service.call('GET /v1/users/me', { as: null, headers: bearer(token) })).statusCode
const revoke = async ({ tokenId }: Token) => await service.call(`DELETE /v1/users/${userId}/tokens/${tokenId}`)

describe('a token that is known to be good', () => {
  it('is refused by the first call after its revocation was acknowledged, each time', async () => {
    for (let round = 0; round < 30; round++) {
      const [token, other] = [await make(), await make()]
      expect(await Promise.all([token, other, token].map(statusOf))).toEqual([200, 200, 200])
      expect((await revoke(token)).statusCode).toBe(204)
      expect([await statusOf(token), await statusOf(other)]).toEqual([401, 200])
    }
  })

  it('is refused once its revocation was acknowledged, however many calls are under way', async () => {
    const token = await make()
    let revoked = false
    const late: number[] = []
    const calling = Array.from({ length: 8 }, async () => {
      for (let count = 0; count < 40; count++) {
        const begunLate = revoked
        const status = await statusOf(token)
        if (begunLate) late.push(status)
        await turn()
      }
    })
    await revoke(token)
    revoked = true
    await Promise.all(calling)
    expect(new Set(late)).toEqual(new Set([401]))
  })

  it('ends with its maker, and with its maker\'s maker', async () => {
    const maker = await make()
    const child = await make(maker)
    const grandchild = await make(child)
    expect(await Promise.all([maker, child, grandchild].map(statusOf))).toEqual([200, 200, 200])
    await revoke(maker)
    expect(await Promise.all([maker, child, grandchild].map(statusOf))).toEqual([401, 401, 401])
  })

  it('ends with its user, whom the application may not act as any more either', async () => {
    const token = await make()
    const sudo = async () => (await service.call('GET /v1/users/me', { headers: { 'x-mitter-sudo-user-id': userId } })).statusCode
    expect([await statusOf(token), await sudo()]).toEqual([200, 200])
    await service.call(`DELETE /v1/users/${userId}`)
    expect([await statusOf(token), await sudo()]).toEqual([401, 404])
  })
})

/** A store that reads once a gate is open, and tells of entries when it is told to. */
function gated (onlyWriter = true) {
  let tell: (entries: Entry[]) => void = () => {}
  const gates: Array<() => void> = []
  const read = { tokens: 0, users: 0 }
  const store: Parameters<typeof createStandings>[0] = {
    onlyWriter,
    onCommitted: listener => { tell = listener; return () => {} },
    async getToken (tokenId) {
      read.tokens++
      const state = await service.store.getToken(tokenId)
      await new Promise<void>(resolve => { gates.push(resolve) })
      return state
    },
    async userExists (userId) {
      read.users++
      return await service.store.userExists(userId)
    }
  }
  return { store, read, tell: (kind: Entry['kind']) => tell([{ kind } as Entry]), open: () => gates.splice(0).forEach(open => open()) }
}

describe('what is known', () => {
  const revokeInStore = (tokenId: string): ReturnType<Store['append']> => service.store.append({ type: 'revoke-tokens', actor: SYSTEM, userId, tokenIds: [tokenId] })

  it('is read once, and again when some token was revoked or some user deleted', async () => {
    const { tokenId } = await make()
    const { store, read, tell, open } = gated()
    const standing = createStandings(store).now
    const ask = async () => {
      const state = standing.getToken(tokenId)
      await turn()
      open()
      return (await state)?.live
    }
    expect([await ask(), await ask(), await ask(), read.tokens]).toEqual([true, true, true, 1])
    tell('message')
    expect([await ask(), read.tokens]).toEqual([true, 1])
    tell('token-revoked')
    expect([await ask(), await ask(), read.tokens]).toEqual([true, true, 2])
    tell('user-deleted')
    expect([await ask(), await ask(), read.tokens]).toEqual([true, true, 3])
    expect([await standing.userExists(userId), await standing.userExists(userId), read.users]).toEqual([true, true, 1])
  })

  it('is not what a read has found that was under way when an entry came', async () => {
    const { tokenId } = await make()
    const { store, read, tell, open } = gated()
    const standing = createStandings(store).now
    const early = standing.getToken(tokenId)
    await turn()
    await revokeInStore(tokenId)
    tell('token-revoked')
    open()
    // As it was when the call came, which was before the revocation was acknowledged.
    expect((await early)?.live).toBe(true)
    const next = standing.getToken(tokenId)
    await turn()
    open()
    expect((await next)?.live).toBe(false)
    expect(read.tokens).toBe(2)
  })

  it('is never that something is not good: it may be made yet', async () => {
    const { store, read } = gated()
    const standing = createStandings(store).now
    expect(await standing.userExists('user-to-be')).toBe(false)
    await service.call('POST /v1/users', { body: { userId: 'user-to-be' } })
    expect(await standing.userExists('user-to-be')).toBe(true)
    expect(read.users).toBe(2)
  })

  it('is nothing where others write the log too: each call asks the store', async () => {
    const { tokenId } = await make()
    const { store, read, open } = gated(false)
    const standing = createStandings(store).now
    const ask = async () => {
      const state = standing.getToken(tokenId)
      await turn()
      open()
      return (await state)?.live
    }
    expect([await ask(), await ask()]).toEqual([true, true])
    await revokeInStore(tokenId) // by another process: nothing is told of it here
    expect([await ask(), read.tokens]).toEqual([false, 3])
  })
})
