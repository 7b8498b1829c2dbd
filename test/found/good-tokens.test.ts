/** The list of a user's tokens has those that are good now (protocol 7): each of them, and no others. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { randomUUID } from 'node:crypto'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createUser } from '../support/commands.ts'
import { call, type Answer } from '../support/process.ts'

/** Tokens that may be in a line, each made with the one before. */
const LONGEST_LINE = 64

let on: TestApp
let userId: string
beforeAll(async () => { on = await startApp() })
afterAll(() => on.stop())
beforeEach(async () => {
  userId = `user-${randomUUID()}`
  await on.store.append(createUser(userId))
})

interface Token { signedToken: string, tokenId: string }

const bearer = ({ signedToken }: Token) => ({ authorization: `Bearer ${signedToken}` })
const make = async (maker?: Token) =>
  await call(on.url, 'POST', `/v1/users/${userId}/tokens`, maker === undefined ? on.application : bearer(maker))
const made = async (maker?: Token): Promise<Token> => (await make(maker)).body.userToken
const isGood = async (token: Token): Promise<boolean> => (await call(on.url, 'GET', '/v1/users/me', bearer(token))).status === 200
const revoke = (...tokenIds: string[]) => on.store.append({ type: 'revoke-tokens', actor: SYSTEM, userId, tokenIds })
/** As earlier versions, and other clocks, have left it. */
const put = (tokenId: string, more: { parentId?: string, expiresAt?: number } = {}) => on.store.append({ type: 'issue-token', actor: SYSTEM, userId, tokenId, ...more })

/** The ids of every page, and what each page has. */
async function listed (limit = 1_000): Promise<string[][]> {
  const pages: string[][] = []
  for (let at: string | undefined = `/v1/users/${userId}/tokens?limit=${limit}`; at !== undefined;) {
    const { status, body, headers }: Answer = await call(on.url, 'GET', at, on.application)
    expect(status).toBe(200)
    pages.push(body.map(({ tokenId }: Token) => tokenId))
    at = /<([^>]*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1]
  }
  return pages
}

it('one is gone from it with its maker, and with its maker\'s maker', async () => {
  const other = await made()
  const maker = await made()
  const child = await made(maker)
  const grandchildren = [await made(child), await made(child)]
  expect((await listed(2)).flat().sort()).toEqual([other, maker, child, ...grandchildren].map(({ tokenId }) => tokenId).sort())
  await revoke(maker.tokenId)
  expect(await listed()).toEqual([[other.tokenId]])
  expect((await listed(1)).flat()).toEqual([other.tokenId])
  expect(await Promise.all([other, child, ...grandchildren].map(isGood))).toEqual([true, false, false, false])
})

it('one that has ended is not in it', async () => {
  await put('token-of-old', { expiresAt: Date.now() - 1 })
  await put('token-of-now', { expiresAt: Date.now() + 3_600_000 })
  await put('token-of-ever')
  expect((await listed()).flat().sort()).toEqual(['token-of-ever', 'token-of-now'])
})

it('one whose makers are too many is not made, and the others are good', async () => {
  const line = [await made()]
  while (line.length < LONGEST_LINE) line.push(await made(line.at(-1)))
  const { status, body } = await make(line.at(-1))
  expect([status, body.errorCode]).toEqual([403, 'missing_privilege'])
  expect(body.message).toContain('call with an earlier one')
  expect(await isGood(line.at(-1)!)).toBe(true)
  expect((await make(line.at(-2))).status).toBe(200)
  // An earlier version made it.
  await put('token-of-too-many', { parentId: line.at(-1)!.tokenId })
  for (const limit of [1_000, 7]) {
    const ids = (await listed(limit)).flat()
    expect(ids).toHaveLength(LONGEST_LINE + 1)
    expect(ids).toEqual(expect.arrayContaining(line.map(({ tokenId }) => tokenId)))
  }
})

it('those among many that are not are found, page by page', async () => {
  await put('token-of-maker')
  await Promise.all(Array.from({ length: 2_500 }, (_, index) => put(`token-${index}`, index % 1_200 === 700 ? {} : { parentId: 'token-of-maker' })))
  await revoke('token-of-maker')
  for (const limit of [1_000, 1]) {
    const pages = await listed(limit)
    expect(pages.flat().sort()).toEqual(['token-1900', 'token-700'])
    // None looks at all of them.
    expect(pages.length).toBeGreaterThan(2)
  }
})

it('those with many makers each are found, and no page looks at all of these', async () => {
  const [lines, length] = [200, 20]
  for (let depth = 0; depth < length; depth++) {
    await Promise.all(Array.from({ length: lines }, (_, line) => put(`token-${line}-${depth}`, depth === 0 ? {} : { parentId: `token-${line}-${depth - 1}` })))
  }
  await revoke('token-7-3')
  const pages = await listed()
  const good = Array.from({ length: lines }, (_, line) => Array.from({ length: line === 7 ? 3 : length }, (_, depth) => `token-${line}-${depth}`)).flat()
  expect(pages.flat().sort()).toEqual(good.sort())
  expect(pages.length).toBeGreaterThan(lines * length / 1_000)
})
