/** A list of tokens is revoked whole or not at all (protocol 1, rule 9), whoever else is revoking some of them. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { call } from '../support/process.ts'

/** Rounds in which two lists meet: which one comes first is not always the same. */
const ROUNDS = 10

let on: TestApp
beforeAll(async () => {
  on = await startApp()
  await on.user('amy')
})
afterAll(() => on.stop())

interface Token { signedToken: string, tokenId: string }

const issue = async (): Promise<Token> => (await call(on.url, 'POST', '/v1/users/amy/tokens', on.application)).body.userToken
const revoke = async (...tokens: Token[]): Promise<number> =>
  (await call(on.url, 'DELETE', `/v1/users/amy/tokens/${tokens.map(({ tokenId }) => tokenId).join(',')}`, on.application)).status
const statusOf = async ({ signedToken }: Token): Promise<number> =>
  (await call(on.url, 'GET', '/v1/users/me', { authorization: `Bearer ${signedToken}` })).status

it('of two lists that share a token and are revoked at once one is, and the other is a 404 that has revoked nothing', async () => {
  const outcomes: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const [one, shared, other] = [await issue(), await issue(), await issue()]
    // The shared one last in one list and first in the other, then in the other order.
    const lists = round % 2 === 0 ? [[one, shared], [shared, other]] : [[shared, one], [other, shared]]
    const answers = await Promise.all(lists.map(list => revoke(...list)))
    const live = await Promise.all([one, shared, other].map(statusOf))
    outcomes.push(JSON.stringify([answers, live]))
  }
  const good = ['[[204,404],[401,401,200]]', '[[404,204],[200,401,401]]']
  expect(outcomes.filter(outcome => !good.includes(outcome))).toEqual([])
})

it('a list with a token in it that is there no more revokes none of the others', async () => {
  const [gone, ...kept] = [await issue(), await issue(), await issue()]
  expect(await revoke(gone!)).toBe(204)
  expect(await revoke(kept[0]!, gone!, kept[1]!)).toBe(404)
  expect(await Promise.all(kept.map(statusOf))).toEqual([200, 200])
})
