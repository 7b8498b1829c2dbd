/**
 * What access control lists cost a delivery and a publish: `node bench/lists.ts [members] [streams] [messages]`.
 * One process, the store and the hub without HTTP: CPU per message of the main thread and of the writer's, and per delivery to subscribers
 * that only count. The figures that count are the ratios to a channel without lists in the same run.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hub, type Subscriber } from '../src/relay/hub.ts'
import type { AccessLists } from '../src/rules/access.ts'
import { parseLists } from '../src/rules/access-entries.ts'
import { SYSTEM } from '../src/rules/identifiers.ts'
import type { Entry } from '../src/store/contract/log.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'

const [members = 10_000, messages = 1_000, rounds = 5] = process.argv.slice(2).map(Number)
const CHANNEL = 'town-square'
const ids = Array.from({ length: members }, (_, index) => `user-${index}`)

const cases: Array<{ name: string, channel?: string, message?: string }> = [
  { name: 'without lists' },
  { name: 'a message to all who are active', message: `+read_message:participant(${CHANNEL}:Active)` },
  { name: 'a message to all but one', message: '-read_message:user(user-7)' },
  { name: 'a channel with lists', channel: `+read_from_channel:participant(${CHANNEL}),+send_to_channel:participant(${CHANNEL}:Active),+modify_acl:admin(${CHANNEL})` },
  { name: '32 entries of each', channel: many('read_from_channel', `+read_from_channel:participant(${CHANNEL})`), message: many('read_message', `+read_message:participant(${CHANNEL})`) }
]

/** A class, and 31 people. */
function many (privilege: string, first: string): string {
  return [first, ...Array.from({ length: 31 }, (_, index) => `+${privilege}:user(user-${index})`)].join(',')
}

const dataDir = mkdtempSync(join(tmpdir(), 'bench-'))
const store = await openSqliteStore({ dataDir })
try {
  await inParts(ids, userId => store.append({ type: 'create-user', actor: SYSTEM, userId, userLocators: [], systemUser: false }))
  await store.append({
    type: 'create-channel',
    actor: SYSTEM,
    channelId: CHANNEL,
    ruleset: 'io.mitter.ruleset.chats.GroupChat',
    groupType: 'public',
    participants: ids.slice(0, 1_000).map(userId => ({ userId, status: 'active', roles: [] })),
    timelineEvents: []
  })
  await inParts(ids.slice(1_000), userId => store.append({ type: 'add-participant', actor: SYSTEM, channelId: CHANNEL, userId, status: 'active' }))

  const taken = new Map<string, { publish: number[], delivery: number[] }>(cases.map(({ name }) => [name, { publish: [], delivery: [] }]))
  for (let round = 0; round <= rounds; round++) {
    for (const one of cases) {
      const { publish, delivery } = await measure(one)
      if (round === 0) continue // warming up
      taken.get(one.name)!.publish.push(publish)
      taken.get(one.name)!.delivery.push(delivery)
    }
  }
  const [base] = [...taken.values()]
  console.log(`${members} members, ${messages} messages, medians of ${rounds}; µs of CPU`)
  for (const [name, { publish, delivery }] of taken) {
    const [p, d] = [median(publish), median(delivery)]
    console.log(`${name.padEnd(34)} publish ${p.toFixed(0).padStart(5)} (${(p / median(base!.publish)).toFixed(2)} x)   delivery ${d.toFixed(3)} (${(d / median(base!.delivery)).toFixed(2)} x)`)
  }
} finally {
  await store.close()
  rmSync(dataDir, { recursive: true })
}

async function measure ({ channel, message }: { channel?: string, message?: string }): Promise<{ publish: number, delivery: number }> {
  const entity = { kind: 'channel', channelId: CHANNEL } as const
  await store.append({ type: 'change-acls', actor: SYSTEM, of: entity, patch: { patchType: 'Set', setAcls: channel ?? null } })
  const lists = parseLists(message, { kind: 'message', channelId: CHANNEL })
  const entries: Entry[] = []
  const end = store.onCommitted(committed => { entries.push(...committed.filter(({ kind }) => kind === 'message')) })
  const publish = await cpuOf(async () => {
    for (let sent = 0; sent < messages; sent += 64) {
      await Promise.all(Array.from({ length: Math.min(64, messages - sent) }, (_, index) => send(sent + index, lists)))
    }
  })
  end()
  const delivery = await deliver(entries, parseLists(channel, entity))
  return { publish: publish / messages, delivery: delivery / (entries.length * members) }
}

function send (nth: number, acls: AccessLists | undefined): Promise<unknown> {
  const userId = ids[nth % ids.length]!
  return store.append({
    type: 'send-message',
    actor: userId,
    senderId: userId,
    channelId: CHANNEL,
    messageId: crypto.randomUUID(),
    messageType: 'Standard',
    payloadType: 'mitter.mt.Text',
    textPayload: 'x'.repeat(100),
    messageData: [],
    timelineEvents: [],
    ...(acls === undefined ? {} : { acls })
  })
}

/** To every member's stream: one that takes what it is given into a list, as an outbox does. */
async function deliver (entries: Entry[], lists: AccessLists | undefined): Promise<number> {
  const hub = new Hub()
  let delivered = 0
  for (const userId of ids) {
    let position = 0
    const pending: Entry[] = []
    const subscriber: Subscriber = {
      of: 'user',
      userId,
      lineage: [],
      offer (entry) {
        if (entry.position <= position) return false
        position = entry.position
        pending.push(entry)
        return true
      },
      flush () { delivered += pending.splice(0).length },
      end () {}
    }
    hub.attach(subscriber)
    hub.follow(subscriber, { channels: [{ channelKey: entries[0]!.channelKey!, status: 'active', admin: false, ...(lists === undefined ? {} : { lists }) }] }, [])
  }
  const sample = entries.slice(0, 100)
  const taken = await cpuOf(async () => { for (const entry of sample) hub.dispatch([entry]) })
  if (delivered < sample.length * (members - 1)) throw new Error(`${delivered} delivered`)
  return taken * entries.length / sample.length
}

/** Of the whole process, in microseconds. */
async function cpuOf (work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

async function inParts<T> (all: T[], work: (one: T) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < all.length; at += 500) await Promise.all(all.slice(at, at + 500).map(work))
}

function median (numbers: number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)]!
}
