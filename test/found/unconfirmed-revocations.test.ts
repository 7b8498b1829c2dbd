/** A revocation of which its caller heard 503, and which was carried out all the same, is in force as any other (protocol 2; "A 503 on a write means: not confirmed"). */
import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createStanding } from '../../src/auth/standing.ts'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createUser } from '../support/commands.ts'

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

it('the database is away for a moment while a revocation is written', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'unconfirmed-'))
  const store = await openSqliteStore({ dataDir })
  const standing = createStanding(store)
  const file = join(dataDir, readdirSync(dataDir).find(name => name.endsWith('.db') && !name.includes('lock'))!)
  await store.append(createUser('amy'))
  let met = false
  for (let attempt = 0; attempt < 40 && !met; attempt++) {
    const tokenId = `token-${attempt}`
    await store.append({ type: 'issue-token', actor: SYSTEM, userId: 'amy', tokenId })
    expect((await standing.getToken(tokenId))!.live).toBe(true)
    const revoked = store.append({ type: 'revoke-tokens', actor: SYSTEM, userId: 'amy', tokenIds: [tokenId] }).then(() => 'done', err => err.refusal as string)
    await new Promise(resolve => setImmediate(resolve)) // it leaves
    await new Promise(resolve => setImmediate(resolve))
    const from = performance.now()
    while (performance.now() - from < attempt % 20 * 0.1); // it is being written
    renameSync(file, `${file}.away`)
    const outcome = await Promise.race([revoked, sleep(1_000).then(() => 'late')])
    renameSync(`${file}.away`, file)
    for (let waited = 0; waited < 50; waited++) {
      if (await store.check().then(() => true, () => false)) break
      await sleep(100)
    }
    const stored = (await store.getToken(tokenId))!.live
    if (outcome !== 'unavailable' || stored) continue
    met = true
    const known = await standing.getToken(tokenId)
    // As protocol 1 has it: a repeat settles it.
    const repeated = await store.append({ type: 'revoke-tokens', actor: SYSTEM, userId: 'amy', tokenIds: [tokenId] }).then(() => 'done', err => err.refusal as string)
    await sleep(1_000)
    console.log({ attempt, outcome, stored, known: known!.live, repeated, still: (await standing.getToken(tokenId))!.live })
    expect(known!.live, 'what a caller with the token is taken for').toBe(false)
  }
  await store.close()
  rmSync(dataDir, { recursive: true })
  expect(met, 'one was carried out though it was answered 503').toBe(true)
}, 120_000)
