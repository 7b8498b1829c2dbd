/** The same commands, with whatever texts and numbers, come to the same answers, pages and replays on both stores. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Command } from '../../src/store/contract/commands.ts'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createChannel, createUser, join as joins, readAll, send } from '../support/commands.ts'
import { sharedDatabase } from '../support/shared-postgres.ts'
import { promptClock } from '../support/stores.ts'

const texts = ['', ' ', 'NULL', 'null', '\0', 'a\0b', '\\', '\\0', '\\u0000', '"', '\'', '{}', '{a,b}', ',', '\uffff', '\ufffe', '\u{10ffff}', '\ud800', '\udc00x', '$1', '?', '--', '\n\r\t', 'é', 'e\u0301', 'Z', 'a', '_', '%', 'x'.repeat(100)]

let directory: string
let stores: Store[]
const failures: Error[] = []
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'channel-relay-both-'))
  const onError = (err: Error) => { failures.push(err) }
  stores = [
    await openSqliteStore({ dataDir: directory, clock: promptClock, onError, retentionMs: 1e12 }),
    await openPostgresStore({ url: await sharedDatabase(directory), clock: promptClock, allowUnsafe: true, onError, retentionMs: 1e12 })
  ]
})
afterEach(async () => {
  await Promise.all(stores.map(store => store.close()))
  rmSync(directory, { recursive: true })
  expect(failures.splice(0).map(err => err.message)).toEqual([])
})

/** Without what differs from run to run: times, cursors, ids that the service gives. */
const plain = (value: unknown): string => JSON.stringify(value, (name, value: unknown) => {
  if (typeof value === 'string' && /^[[{]/.test(value)) try { return JSON.parse(value) as unknown } catch {}
  if (/cursor|follows|createdAt|updatedAt|At$|Time|tag|audit|created|updated|^at$/i.test(name)) return undefined
  if (typeof value === 'string' && /^([0-9a-f]{8}-|[0-9a-z]{12}-[0-9a-z]+-)/.test(value)) return 'an id'
  return value
})?.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'an id')

async function both (work: (store: Store) => Promise<unknown>): Promise<void> {
  const [embedded, postgres] = await Promise.all(stores.map(store => work(store).then(plain, (err: Error & { refusal?: string }) => `refused: ${err.refusal ?? err.stack} ${err.message}`)))
  expect(postgres).toBe(embedded)
}
/** As they come through HTTP. */
const keyOf = (text: string): string => text.replaceAll(/[^ -~]/g, '~').padStart(8, '-')
const append = (command: Command) => both(store => store.append(structuredClone(command)))
const event = (type: string, eventTimeMs: number, nth?: number) => ({ type, subject: 'anna', eventTimeMs, ...(nth === undefined ? {} : { eventId: `event-id-${nth}` }) })

it('whatever is written', async () => {
  for (const user of ['anna', 'Bert', 'carl', '@dora', '#emil']) await append(createUser(user))
  await append({ ...createUser('named'), userLocators: texts.map(text => `tele:${text}`), screenName: 'a\0b\uffff\\"' } as Command)
  await append(createChannel('anna', 'the-channel', { timelineEvents: texts.map((text, nth) => event(text, nth)) as never }))
  for (const user of ['Bert', 'carl', '@dora', '#emil', 'named']) await append(joins(user, 'the-channel'))
  for (const [nth, text] of texts.entries()) {
    const messageId = `message-${nth}`
    await append(send('anna', 'the-channel', text, {
      messageId,
      messageType: text,
      payloadType: text,
      messageData: [{ dataType: text, data: { [text]: text } }] as never,
      timelineEvents: [event(text, 8.64e15)] as never,
      idempotency: { key: keyOf(text), fingerprint: JSON.stringify(text) },
      ...(nth % 3 === 0 ? { nonce: keyOf(text) } : {})
    }))
    // A repeat, another request under the key, and a nonce once more.
    await append(send('anna', 'the-channel', text, { messageId: 'message-other', idempotency: { key: keyOf(text), fingerprint: JSON.stringify(text) } }))
    await append(send('anna', 'the-channel', text, { messageId: 'message-other', idempotency: { key: keyOf(text), fingerprint: JSON.stringify(`${text}x`) } }))
    await append({ type: 'take-nonce', actor: SYSTEM, nonce: keyOf(text) })
    await append({ type: 'add-channel-event', actor: 'anna', channelId: 'the-channel', event: event(text, -nth, nth + 100) as never })
    await append({ type: 'add-message-event', actor: 'anna', channelId: 'the-channel', messageIds: [messageId], event: event(text, nth, nth + 200) as never })
    await append({ type: 'edit-message', actor: 'anna', channelId: 'the-channel', messageId, textPayload: `${text}${text}` } as never)
  }
  const events = (types: string[] | undefined, after?: string) => ({ limit: 7, ...(types === undefined ? {} : { types }), ...(after === undefined ? {} : { after }) })
  for (const text of [...texts, undefined]) {
    const types = text === undefined ? undefined : [text, text, 'a']
    await both(store => store.listChannelEvents('anna', ['the-channel'], events(types)))
    await both(store => store.listMessageEvents('anna', 'the-channel', texts.map((_, nth) => `message-${nth}`), events(types)))
    if (text === undefined) continue
    for (const id of [text, `${text}-long-enough`]) {
      await both(store => store.getMessage('anna', id))
      await both(store => store.listMessages('anna', id, { limit: 5, offset: 0 }))
      await both(store => store.listMessages('anna', 'the-channel', { limit: 5, offset: 0, before: id }))
      await both(store => store.listChannelEvents('anna', ['the-channel'], events(undefined, id)))
      await both(store => store.userExists(id))
      await both(store => store.getToken(id))
      await both(store => store.listChannelsOf(SYSTEM, id, { limit: 5, offset: 0 }, { includeSystemChannels: true }))
      await append({ type: 'delete-messages', actor: 'anna', channelId: 'the-channel', messageIds: [id] })
      await append({ type: 'revoke-tokens', actor: SYSTEM, userId: 'anna', tokenIds: [id] })
      await append({ type: 'add-participant', actor: 'anna', channelId: 'the-channel', userId: id, status: 'active' })
      await append({ type: 'delete-user', actor: SYSTEM, userId: `${id}none` })
    }
  }
  for (const limit of [1, 2, 7, 50]) {
    for (let page: { next?: string } = {}, after: string | undefined; ; after = page.next) {
      await both(store => store.listMessages('anna', 'the-channel', { limit, offset: 0, ...(after === undefined ? {} : { before: after }) }))
      page = (await stores[0]!.listMessages('anna', 'the-channel', { limit, offset: 0, ...(after === undefined ? {} : { before: after }) })).value
      if (page.next === undefined) break
    }
  }
  for (const place of ['.0.0', '.999999999999999.0', '.999999999999999.999999999999999', '.1.-1']) {
    await both(store => store.listMessages('anna', 'the-channel', { limit: 5, offset: 0, before: place }))
    await both(store => store.listMessages('anna', 'the-channel', { limit: 5, offset: 0, after: place }))
    await both(store => store.listChannelEvents('anna', ['the-channel'], events(undefined, place)))
    await both(store => store.listMessages('anna', 'the-channel', { limit: 5, offset: 100_000_000_000 }))
  }
  await Promise.all(stores.map(store => store.settle()))
  for (const interest of [{ of: 'application' }, { of: 'user', userId: 'anna' }, { of: 'user', userId: '@dora' }, { of: 'channel', channelId: 'the-channel', channelKey: 1, userId: 'named' }] as const) {
    for (const limit of [1, 3, 500]) await both(store => readAll(store, interest, undefined, limit))
  }
}, 60_000)

it('pages of long texts', async () => {
  await append(createUser('anna'))
  await append(createChannel('anna', 'the-channel'))
  for (let nth = 0; nth < 30; nth++) await append(send('anna', 'the-channel', '€'.repeat(20_000), { messageId: `message-${nth}`, timelineEvents: Array.from({ length: 20 }, (_, at) => event(`type-${'€'.repeat(100)}-${at}`, at)) as never }))
  for (const [before, limit] of [[undefined, 50], [undefined, 200], ['message-20', 45], ['message-1', 45]] as const) {
    await both(store => store.listMessages('anna', 'the-channel', { limit, offset: 0, ...(before === undefined ? {} : { before }) }))
  }
  for (const interest of [{ of: 'application' }, { of: 'user', userId: 'anna' }] as const) for (const limit of [1, 5, 500]) await both(store => readAll(store, interest, undefined, limit))
  await both(store => store.tail({ position: 0, cursor: 'x' }, 500))
})
