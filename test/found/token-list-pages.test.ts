/** A user's tokens are a list like any other: no answer is without bound (protocol 1, rule 8). */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { randomUUID } from 'node:crypto'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createUser } from '../support/commands.ts'

const TOKENS = 2_500
/** What any list holds at most. */
const LARGEST_PAGE = 1_000

let on: TestApp
const tokenIds = Array.from({ length: TOKENS }, () => randomUUID())
beforeAll(async () => {
  on = await startApp()
  await on.store.append(createUser('amy'))
  await Promise.all(tokenIds.map(tokenId => on.store.append({ type: 'issue-token', actor: SYSTEM, userId: 'amy', tokenId })))
})
afterAll(() => on.stop())

it('tokens come in pages, which Link leads through, each once', async () => {
  const seen: string[] = []
  for (let at: string | undefined = '/v1/users/amy/tokens'; at !== undefined;) {
    const response: Response = await fetch(on.url + at, { headers: on.application })
    const items = await response.json() as Array<{ tokenId: string }>
    expect(response.status).toBe(200)
    expect(items.length).toBeLessThanOrEqual(LARGEST_PAGE)
    seen.push(...items.map(({ tokenId }) => tokenId))
    const target: string | undefined = /<([^>]*)>\s*;\s*rel="?next"?/.exec(response.headers.get('link') ?? '')?.[1]
    const next: URL | undefined = target === undefined ? undefined : new URL(target, on.url + at)
    at = next && next.pathname + next.search
  }
  expect(seen.length).toBe(TOKENS)
  expect(seen.sort()).toEqual(tokenIds.toSorted())
})
