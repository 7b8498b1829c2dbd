/** What was deleted is in no file of DATA_DIR a minute later, found by the bytes of all of them (protocol 8, promise 5). */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, type TestContext } from 'vitest'
import { asApplication, asUser, call, basicOf, spawnService, tokenFor, type ServiceProcess } from '../support/process.ts'
import { bytesOf } from './bytes-of.ts'

/** After its deletion's answer, in milliseconds. */
const GONE_WITHIN_MS = 60_000

/** A sequence of bytes that is nowhere else, so short and so often repeated that any piece of a text shows it. */
const mark = (number: number) => `mark#${String(number).padStart(6, '0')}#`
const marked = (number: number, bytes: number) => mark(number).repeat(Math.ceil(bytes / 12))

/** The numbers of the marks that are in each file. */
function marksIn (directory: string): Array<[file: string, numbers: Set<number>]> {
  return [...bytesOf(directory)].map(([path, bytes]) => {
    const marks = bytes.toString('latin1').matchAll(/mark#(\d{6})#/g)
    return [basename(path), new Set([...marks].map(([, number]) => Number(number)))]
  })
}

/** Texts to be sent, those that will be deleted among them, and what is to be found in the end. */
class Texts {
  readonly kept: number[] = []
  readonly gone: number[] = []
  #next = 0

  /** A text of so many bytes that is to stay, or to go. */
  make (fate: 'kept' | 'gone', bytes: number): string {
    const number = this.#next++
    this[fate].push(number)
    return marked(number, bytes)
  }
}

/** Runs `work` on every item, a few at a time. */
async function each<Item> (items: Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const rest = items.values()
  await Promise.all(Array.from({ length: 16 }, async () => { for (const item of rest) await work(item) }))
}

/** Waits until no deleted text is in any file, for as long as that may take; says what is left then, by file, and which kept texts are not there. */
async function searched (directory: string, { gone, kept }: Texts): Promise<{ left: string[], missing: number[] }> {
  const end = performance.now() + GONE_WITHIN_MS
  for (;;) {
    const found = marksIn(directory)
    const left = found.map(([file, numbers]): [string, number] => [file, gone.filter(number => numbers.has(number)).length]).filter(([, count]) => count > 0)
    const missing = kept.filter(number => !found.some(([, numbers]) => numbers.has(number)))
    if (left.length === 0 || performance.now() > end) return { left: left.map(([file, count]) => `${count} of ${gone.length} in ${file}`), missing }
    await delay(500)
  }
}

function useDirectory ({ onTestFinished }: TestContext): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-erased-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
  return dataDir
}

async function start (dataDir: string, { onTestFinished }: TestContext): Promise<ServiceProcess> {
  const service = await spawnService({ dataDir, env: { LOG_LEVEL: 'warn' } })
  onTestFinished(() => service.kill('SIGKILL'))
  return service
}

interface Made { channelId: string, messageId: string, fate: 'kept' | 'gone' }

/**
 * Sends into three channels, edits, and deletes some messages of the first, all of the second, and the third
 * channel with all that is in it. Short and long texts lie beside each other; edits make full pages split, and
 * deletions make empty ones merge, so that rows move about and leave copies of themselves.
 */
async function converse (service: ServiceProcess, texts: Texts): Promise<void> {
  const token = await tokenFor(service, 'amy')
  const ok = async (answer: Promise<{ status: number, body: any }>) => {
    const { status, body } = await answer
    if (status >= 300) throw new Error(JSON.stringify(body))
    return body
  }
  const channels = ['mixed-channel', 'truncated-channel', 'deleted-channel']
  for (const channelId of channels) {
    await ok(asUser(service, token, 'POST', '/v1/channels', { channelId, defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', groupType: 'public' }))
  }
  const sent: Made[] = []
  const send = async (channelId: string, fate: 'kept' | 'gone', bytes: number, dataBytes = 0) => {
    const messageData = dataBytes === 0 ? [] : [{ dataType: 'text', data: { note: texts.make(fate, dataBytes) } }]
    const { messageId } = await ok(asUser(service, token, 'POST', `/v1/channels/${channelId}/messages`, { textPayload: texts.make(fate, bytes), messageData }))
    sent.push({ channelId, messageId, fate })
  }
  const edit = async ({ channelId, messageId }: Made, bytes: number) =>
    await ok(asUser(service, token, 'PATCH', `/v1/channels/${channelId}/messages/${messageId}`, { textPayload: texts.make('gone', bytes) }))
  const remove = async (which: Made[], atOnce: number) => {
    for (let index = 0; index < which.length; index += atOnce) {
      const ids = which.slice(index, index + atOnce).map(({ messageId }) => messageId)
      await ok(asUser(service, token, 'DELETE', `/v1/channels/mixed-channel/messages/${ids.join(',')}`))
    }
  }

  const numbers = Array.from({ length: 400 }, (_, index) => index)
  await each(numbers, async index => {
    const fate = index % 3 === 0 ? 'kept' : 'gone'
    await send('mixed-channel', fate, index % 20 === 19 ? 60_000 : 20 + (index * 37) % 900, index % 10 === 7 ? 30_000 : index % 5 === 3 ? 60 : 0)
  })
  await each(numbers.slice(0, 120), async index => {
    await send(channels[1 + index % 2]!, 'gone', index % 15 === 14 ? 60_000 : 30 + (index * 53) % 700, index % 8 === 7 ? 5_000 : 0)
  })
  const going = sent.filter(({ channelId, fate }) => channelId === 'mixed-channel' && fate === 'gone')
  await each(going.filter((_, index) => index % 4 === 0), async made => { await edit(made, 40); await edit(made, 60_000) })
  await each(going.filter((_, index) => index % 4 === 1), async made => { await edit(made, 700) })
  await each(sent.filter(({ channelId }) => channelId !== 'mixed-channel').slice(0, 20), async made => { await edit(made, 300) })
  await remove(going.filter((_, index) => index % 2 === 0), 7)
  await each(numbers.slice(0, 40), async () => { await send('mixed-channel', 'kept', 200) })
  await remove(going.filter((_, index) => index % 2 === 1), 7)
  // A message that is edited grows by a few bytes, which in a full page are too many.
  const before = sent.length
  await each(Array.from({ length: 1_500 }), async () => { await send('mixed-channel', sent.length % 10 === 0 ? 'kept' : 'gone', 24 + (sent.length * 97) % 1_500) })
  const small = sent.slice(before).filter(({ fate }) => fate === 'gone')
  await each(small, async made => { await edit(made, 24) })
  await remove(small, 45)
  await ok(asApplication(service, 'DELETE', '/v1/channels/truncated-channel/messages'))
  await ok(asApplication(service, 'DELETE', '/v1/channels/deleted-channel'))
}

const endings: Array<[where: string, meanwhile: (service: ServiceProcess, test: TestContext) => Promise<void>]> = [
  ['in a service that goes on', async () => {}],
  ['in one that is killed and started again', async (service, test) => {
    await service.kill('SIGKILL')
    await start(service.dataDir, test)
  }]
]

describe.concurrent('within a minute', () => {
  it.for(endings)('texts of deleted messages, of their edits and their data are in no file, and those of others still are, %s', { timeout: 150_000 }, async ([, meanwhile], test) => {
    const dataDir = useDirectory(test)
    const service = await start(dataDir, test)
    const texts = new Texts()
    await converse(service, texts)
    await meanwhile(service, test)
    expect(await searched(dataDir, texts)).toEqual({ left: [], missing: [] })
  })

  it('a deleted user\'s screen name and locators are in no file, and others\' are', { timeout: 150_000 }, async test => {
    const dataDir = useDirectory(test)
    const service = await start(dataDir, test)
    const texts = new Texts()
    const application = { authorization: basicOf(service.credentials) }
    const users = Array.from({ length: 150 }, (_, index) => `user-${index}`)
    const deleted = users.filter((_, index) => index % 2 === 0)
    await call(service.url, 'POST', '/v1/channels', application, { channelId: 'channel-of-all', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat' })
    await each(users, async userId => {
      const fate = deleted.includes(userId) ? 'gone' : 'kept'
      const [screenName, locator] = [texts.make(fate, 24), texts.make(fate, 24)]
      const answers = [
        await call(service.url, 'POST', '/v1/users', application, { userId, screenName: { screenName }, userLocators: [{ '@type': 'email', locator }] }),
        await call(service.url, 'POST', '/v1/channels/channel-of-all/participants',
          { ...application, prefer: 'return=representation', 'idempotency-key': randomUUID() }, { participantId: userId }),
        await call(service.url, 'PATCH', `/v1/channels/channel-of-all/participants/${userId}`,
          { ...application, 'idempotency-key': randomUUID() }, { newStatus: 'ReadOnly' })
      ]
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    })
    await each(deleted, async userId => { expect((await call(service.url, 'DELETE', `/v1/users/${userId}`, application)).status).toBe(204) })
    expect(await searched(dataDir, texts)).toEqual({ left: [], missing: [] })
  })
})
