/** Durability as the kernel saw it: an answer leaves only when what it answers for has been synced. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sendUntilAcknowledged, startConversation, streamUrl } from './conversation.ts'
import { spawnTraced, storeFiles, type TracedService } from './trace.ts'
import type { Step } from './trace-lines.ts'

const ALONE = 50
const TOGETHER = 400
const CLIENTS = 16

/** The header of a frame of the WAL; in that of a commit's last frame stands the size of the database, which is never 0 (sqlite.org/fileformat2.html, 4). */
const FRAME_HEADER_BYTES = 24
const DATABASE_SIZE_AT = 4

let dataDir: string
let service: TracedService | undefined
let steps: Step[]
let wal: string
/** Ids of acknowledged messages. */
let alone: string[]
let together: string[]

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'channel-relay-strace-'))
  service = await spawnTraced(dataDir)
  wal = (await storeFiles(dataDir)).wal
  const conversation = await startConversation(service)
  const reader = new AbortController()
  const stream = await fetch(await streamUrl(conversation), { signal: reader.signal })
  const read = stream.body!.pipeTo(new WritableStream(), { signal: reader.signal }).catch(() => {})
  const send = (messageId: string) =>
    sendUntilAcknowledged(conversation, `key-of-${messageId}`, { messageId, textPayload: 'text' }).then(() => messageId)
  alone = []
  for (let n = 0; n < ALONE; n++) alone.push(await send(`message-alone-${n}-of-them`))
  together = []
  const client = async (client: number) => {
    for (let n = 0; n < TOGETHER / CLIENTS; n++) together.push(await send(`message-${client}-together-${n}-of-them`))
  }
  await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)))
  reader.abort()
  await read
  steps = await service.killAndRead()
}, 120_000)

afterAll(async () => {
  service?.kill()
  await rm(dataDir, { recursive: true, force: true })
  await rm(`${dataDir}.strace`, { force: true })
})

/** What a record says of messages, each by its id. */
interface Verdict {
  /** Sent to a client, in an answer or on a stream, before a sync of the WAL that began after their commit was written had returned. */
  tooEarly: string[]
  answered: Set<string>
  streamed: Set<string>
  /** For each sync of the WAL, the messages that it put on disk. */
  synced: string[][]
}

function judge (steps: Step[]): Verdict {
  const verdict: Verdict = { tooEarly: [], answered: new Set(), streamed: new Set(), synced: [] }
  const durable = new Set<string>()
  const written = new Set<string>()
  /** Messages whose commit is written, and where that was. */
  let committed: Array<{ id: string, place: number }> = []
  let open: string[] = []
  let isLastFrame = false
  for (const [place, step] of steps.entries()) {
    if (step.type === 'write' && step.file === wal && step.bytes.length === FRAME_HEADER_BYTES) {
      isLastFrame = step.bytes.readUInt32BE(DATABASE_SIZE_AT) !== 0
    } else if (step.type === 'write' && step.file === wal) {
      open.push(...idsIn(step.bytes).filter(id => !written.has(id)))
      if (!isLastFrame) continue
      for (const id of open) written.add(id)
      committed.push(...open.map(id => ({ id, place })))
      open = []
      isLastFrame = false
    } else if (step.type === 'sync-end' && step.file === wal && step.succeeded) {
      const covered = new Set(committed.filter(commit => commit.place < step.begun).map(({ id }) => id))
      committed = committed.filter(({ id }) => !covered.has(id))
      for (const id of covered) durable.add(id)
      if (covered.size > 0) verdict.synced.push([...covered])
    } else if (step.type === 'sent') {
      const ids = idsIn(step.bytes)
      verdict.tooEarly.push(...ids.filter(id => !durable.has(id)))
      const told = step.bytes.includes('HTTP/1.1 200') ? verdict.answered : verdict.streamed
      for (const id of ids) told.add(id)
    }
  }
  return verdict
}

function idsIn (bytes: Buffer): string[] {
  return [...new Set(bytes.toString('latin1').match(/message-[a-z0-9-]{1,40}?-of-them/g))]
}

it('answers no send, and streams no message, before an fsync of the WAL that holds it has returned', () => {
  const { tooEarly, answered, streamed } = judge(steps)
  const acknowledged = [...alone, ...together].sort()
  expect([...answered].sort()).toEqual(acknowledged)
  expect([...streamed].sort()).toEqual(acknowledged)
  expect(tooEarly).toEqual([])
})

it('syncs for each message that is sent alone, and once for several that are sent together', () => {
  const { synced } = judge(steps)
  for (const id of alone) expect(synced).toContainEqual([id])
  const largest = Math.max(...synced.map(ids => ids.length))
  expect(largest).toBeGreaterThan(1)
  expect(largest).toBeLessThanOrEqual(CLIENTS)
})

it('and an answer that is too early would be seen', () => {
  const withoutSyncs = steps.filter(({ type }) => type !== 'sync-end')
  expect(new Set(judge(withoutSyncs).tooEarly)).toEqual(new Set([...alone, ...together]))
  const answersFirst = [...steps.filter(({ type }) => type === 'sent'), ...steps.filter(({ type }) => type !== 'sent')]
  expect(new Set(judge(answersFirst).tooEarly)).toEqual(new Set([...alone, ...together]))
})
