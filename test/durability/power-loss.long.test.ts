/**
 * Power loss, 200 times: the store's files as they may be on the disk at a random moment of a busy service,
 * from the exact record of what it wrote and synced, opened as a store. What a client had been told by then
 * has to be there.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseCursor } from '../../src/store/core/cursor.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { readAll, send } from '../support/commands.ts'
import { randomFrom, sendUntilAcknowledged, startConversation, streamUrl } from './conversation.ts'
import { DiskFile, fates } from './disk-model.ts'
import { spawnTraced, storeFiles, type TracedService } from './trace.ts'
import type { Step } from './trace-lines.ts'

const LOSSES = 200
const MESSAGES = 2_400
const CLIENTS = 6
/** Some messages take several pages of the database. */
const LONGEST_TEXT = 9_000
const SEED = 20_260

const random = randomFrom(SEED)
let dataDir: string
let service: TracedService | undefined
let steps: Step[]
let database: string
let wal: string
/** The cursors of acknowledged messages by their id. */
const cursors = new Map<string, string>()

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'channel-relay-power-'))
  service = await spawnTraced(dataDir)
  const files = await storeFiles(dataDir)
  database = files.database
  wal = files.wal
  const conversation = await startConversation(service)
  const reader = new AbortController()
  const stream = await fetch(await streamUrl(conversation), { signal: reader.signal })
  const read = stream.body!.pipeTo(new WritableStream(), { signal: reader.signal }).catch(() => {})
  const client = async (client: number) => {
    for (let n = 0; n < MESSAGES / CLIENTS; n++) {
      const messageId = `message-${client}-${n}`
      const textPayload = 'x'.repeat(Math.floor(random() ** 4 * LONGEST_TEXT))
      const { cursor } = await sendUntilAcknowledged(conversation, `key-of-${messageId}`, { messageId, textPayload })
      cursors.set(messageId, cursor)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)))
  reader.abort()
  await read
  steps = await service.killAndRead()
}, 180_000)

afterAll(async () => {
  service?.kill()
  await rm(dataDir, { recursive: true, force: true })
  await rm(`${dataDir}.strace`, { force: true })
})

/** The disk, moment by moment: calls `visit` at each of the places, which rise. */
async function play (places: number[], visit: (disk: { database: DiskFile, wal: DiskFile }, told: ReadonlySet<string>, place: number) => Promise<void>): Promise<void> {
  const disk = { database: new DiskFile(), wal: new DiskFile() }
  const told = new Set<string>()
  let next = 0
  for (const [place, step] of steps.entries()) {
    while (places[next] === place) {
      await visit(disk, told, place)
      next++
    }
    if (step.type === 'sent') for (const id of idsIn(step.bytes)) told.add(id)
    else if (step.file === database) disk.database.apply(step, place)
    else if (step.file === wal) disk.wal.apply(step, place)
  }
  if (places[next] === steps.length) await visit(disk, told, steps.length)
}

/** The messages that bytes on their way to a client tell of: an answer, or frames of a stream. */
function idsIn (bytes: Buffer): string[] {
  return bytes.toString('latin1').match(/(?<="messageId":")message-\d+-\d+(?=")/g) ?? []
}

/** Moments between the first answer and the last: half of them anywhere, half in a checkpoint, which takes the log's place away. */
function someMoments (): number[] {
  const told = [...steps.keys()].filter(place => { const step = steps[place]!; return step.type === 'sent' && idsIn(step.bytes).length > 0 })
  const [first, last] = [told[0]!, told.at(-1)!]
  const inCheckpoints = [...steps.keys()].filter(place => {
    const step = steps[place]!
    const ofDatabase = step.type !== 'sent' && step.file === database
    const restart = step.type === 'write' && step.file === wal && step.offset === 0
    return place > first && place < last && (ofDatabase || restart)
  })
  const places = Array.from({ length: LOSSES }, (_, index) => index % 2 === 0
    ? first + 1 + Math.floor(random() * (last - first))
    : inCheckpoints[Math.floor(random() * inCheckpoints.length)]! + Math.round(random()))
  return places.sort((a, b) => a - b)
}

it('has a record that is exact, with checkpoints and new beginnings of the WAL in it', async () => {
  await play([steps.length], async disk => {
    expect(disk.database.current.equals(await readFile(database))).toBe(true)
    expect(disk.wal.current.equals(await readFile(wal))).toBe(true)
  })
  const restarts = steps.filter(step => step.type === 'write' && step.file === wal && step.offset === 0)
  expect(restarts.length).toBeGreaterThan(3)
})

it(`keeps all that anybody was told of when the power fails, ${LOSSES} times`, async () => {
  const copy = join(dataDir, 'copy')
  let [lossy, count] = [0, 0]
  await play(someMoments(), async (disk, told, place) => {
    const fate = fates[count++ % fates.length]!
    if (disk.wal.unsyncedBytes + disk.database.unsyncedBytes > 0) lossy++
    await mkdir(copy)
    await writeFile(join(copy, 'channel-relay.db'), disk.database.afterPowerLoss(fate, random))
    await writeFile(join(copy, 'channel-relay.db-wal'), disk.wal.afterPowerLoss(fate, random))
    try {
      await check(copy, told)
    } catch (err) {
      throw new Error(`loss ${count}, at step ${place}, the rest ${fate} (seed ${SEED}): ${(err as Error).message}`, { cause: err })
    }
    await rm(copy, { recursive: true })
  })
  expect(count).toBe(LOSSES)
  // Most moments have something that the power takes, else this would show nothing.
  expect(lossy).toBeGreaterThan(LOSSES / 2)
})

it('and a sync that does not keep what it was given would be seen', async () => {
  // The same record, but for syncs of the WAL, which are taken for failed.
  const honest = steps
  steps = steps.map(step => step.type === 'sync-end' && step.file === wal ? { ...step, succeeded: false } : step)
  const copy = join(dataDir, 'copy-without-syncs')
  let seen = 0
  await play(someMoments().slice(0, 4), async (disk, told) => {
    await mkdir(copy)
    await writeFile(join(copy, 'channel-relay.db'), disk.database.afterPowerLoss('lost', random))
    await writeFile(join(copy, 'channel-relay.db-wal'), disk.wal.afterPowerLoss('lost', random))
    await check(copy, told).catch(() => { seen++ })
    await rm(copy, { recursive: true })
  })
  steps = honest
  expect(seen).toBe(4)
})

/** Opens what is left and holds it against what clients were told. */
async function check (copy: string, told: ReadonlySet<string>): Promise<void> {
  const errors: Error[] = []
  const store = await openSqliteStore({ dataDir: copy, onError: err => errors.push(err) })
  try {
    const entries = await readAll(store, { of: 'application' })
    expect(entries.map(({ position }) => position)).toEqual(entries.map((_, index) => index + 1))
    const kept = new Map(entries.map(({ cursor, payload }) => [JSON.parse(payload!).message?.messageId as string | undefined, cursor]))
    const lost = [...told].filter(id => !kept.has(id))
    expect(lost).toEqual([])
    for (const id of told) if (cursors.has(id)) expect(kept.get(id)).toBe(cursors.get(id))
    const { value } = await store.listMessages('alice', 'the-channel', { limit: 200, offset: 0 })
    expect(value.total).toBe([...kept.keys()].filter(id => id !== undefined).length)

    const { cursor } = await store.append(send('alice', 'the-channel', 'after the power came back'))
    expect(parseCursor(cursor)!.position).toBe(entries.length + 1)
    expect(errors).toEqual([])
  } finally {
    await store.close()
  }
  const db = new DatabaseSync(join(copy, 'channel-relay.db'), { readOnly: true })
  expect(db.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
  db.close()
}
