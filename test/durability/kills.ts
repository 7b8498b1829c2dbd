/**
 * The scenario of sigkill.test.ts: readers on a user's stream, senders that retry until they are answered,
 * and a service that is killed in the middle of it, again and again.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EventSource as PackageEventSource } from 'eventsource'
import { EventSource as UndiciEventSource } from 'undici'
import { expect } from 'vitest'
import { parseCursor } from '../../src/store/core/cursor.ts'
import { freePort } from '../support/ports.ts'
import { spawnService } from '../support/process.ts'
import {
  listAll, randomFrom, sendUntilAcknowledged, startConversation, streamUrl, until, type Acknowledged, type Conversation
} from './conversation.ts'

/** What both implementations have in common. */
interface Source {
  addEventListener (type: string, listener: (event: any) => void): void
  close (): void
  readonly readyState: number
}

const implementations: Record<string, new (url: string) => Source> = {
  'the EventSource of undici': UndiciEventSource,
  'the EventSource of the eventsource package': PackageEventSource
}

/** Senders, each with one message under way at a time. */
const SENDERS = 8

/** Messages that are sent as fast as it goes, with the kill among them. */
const BURST = 40

/** How long the messages before a burst are spread over: longer than a reader waits before it comes back. */
const SPREAD_MS = 2_600

export interface KillPlan {
  messages: number
  kills: number
  seed: number
}

/** An `EventSource`, and all that it was told. */
class Listener {
  readonly received: Array<{ id: string, text: string }> = []
  readonly gaps: unknown[] = []
  connections = 0
  /** It has read the history that it missed, on the connection that it has now. */
  live = false
  readonly #source: Source

  constructor (source: Source) {
    this.#source = source
    source.addEventListener('ready', () => { this.connections++ })
    source.addEventListener('caught-up', () => { this.live = true })
    source.addEventListener('error', () => { this.live = false })
    source.addEventListener('gap', event => { this.gaps.push(event.data) })
    source.addEventListener('message', ({ lastEventId, data }) => {
      this.received.push({ id: lastEventId, text: JSON.parse(data).message.textPayload })
    })
  }

  /** An `EventSource` that gave up never comes back. */
  get givenUp (): boolean {
    return this.#source.readyState === 2
  }

  close (): void {
    this.#source.close()
  }
}

/** Senders that share one supply of messages; `allowed` is how many of them may have been begun. */
class Senders {
  readonly acknowledged: Acknowledged[] = []
  allowed = 0
  /** What a sender waits after each message, in milliseconds. */
  paceMs = 0
  #begun = 0
  readonly #stopped = new AbortController()
  readonly #all: Promise<unknown>
  failure: unknown

  constructor (to: Conversation, random: () => number) {
    const send = async (sender: number) => {
      for (let count = 0; !this.#stopped.signal.aborted; count++) {
        while (this.#begun >= this.allowed) {
          await delay(5)
          if (this.#stopped.signal.aborted) return
        }
        this.#begun++
        const text = `${sender}/${count}`
        this.acknowledged.push(await sendUntilAcknowledged(to, `key-of-${text}`, { textPayload: text }, this.#stopped.signal))
        await delay(this.paceMs * 2 * random())
      }
    }
    this.#all = Promise.all(Array.from({ length: SENDERS }, (_, sender) => send(sender))).catch(err => { this.failure = err })
  }

  async have (count: number): Promise<void> {
    await until(`${count} messages are acknowledged`, () => this.failure !== undefined || this.acknowledged.length >= count, 60_000)
    if (this.failure !== undefined) throw this.failure
  }

  async stop (): Promise<void> {
    this.#stopped.abort()
    await this.#all
  }
}

/** Carries the plan out and checks that every listener got each acknowledged message once, in the order of the log, and nothing else. */
export async function survivesKills ({ messages, kills, seed }: KillPlan): Promise<void> {
  const random = randomFrom(seed)
  const dataDir = await mkdtemp(join(tmpdir(), 'channel-relay-kill-'))
  const options = { dataDir, env: { PORT: String(await freePort()), LOG_LEVEL: 'warn' } }
  const undo: Array<() => unknown> = [() => rm(dataDir, { recursive: true, force: true })]
  try {
    let service = await spawnService(options)
    undo.push(() => service.kill('SIGKILL'))
    const conversation = await startConversation(service)
    const url = await streamUrl(conversation)
    const listeners = Object.entries(implementations).map(([name, Implementation]) => ({ name, listener: new Listener(new Implementation(url)) }))
    undo.push(() => listeners.forEach(({ listener }) => listener.close()))
    const allLive = () => until('every listener is live', () =>
      listeners.every(({ name, listener }) => {
        if (listener.givenUp) throw new Error(`${name} gave up`)
        return listener.live
      }))
    await allLive()

    const senders = new Senders(conversation, random)
    undo.push(() => senders.stop())
    const part = Math.floor(messages / (kills + 1))
    for (let kill = 1; kill <= kills; kill++) {
      senders.paceMs = SPREAD_MS * (0.5 + random()) * SENDERS / (part - BURST)
      senders.allowed = kill * part - BURST
      await senders.have(senders.allowed)
      await allLive()
      senders.paceMs = 0
      senders.allowed = kill * part
      await senders.have(kill * part - BURST + Math.floor(random() * (BURST - SENDERS)))
      for (const { listener } of listeners) listener.live = false
      await service.kill('SIGKILL')
      service = await spawnService(options)
    }
    senders.allowed = messages
    await senders.have(messages)
    await senders.stop()
    // What comes after this one came after all others: nobody has to wait for what must not come.
    await allLive()
    const last = await sendUntilAcknowledged(conversation, 'key-of-the-last', { textPayload: 'last' })
    for (const { listener } of listeners) await until('the last message arrives', () => listener.received.some(({ text }) => text === 'last'))

    const acknowledged = [...senders.acknowledged, last]
    const log = await listAll(conversation)
    expect(log).toHaveLength(messages + 1)
    checkLog(log.map(({ text }) => text), acknowledged)
    const cursorOf = new Map(acknowledged.map(({ text, cursor }) => [text, cursor]))
    const expected = log.map(({ text }) => ({ id: cursorOf.get(text), text }))
    for (const { name, listener } of listeners) {
      expect(listener.gaps, name).toEqual([])
      expect(listener.received, name).toEqual(expected)
      expect(listener.connections, name).toBe(kills + 1)
    }
  } finally {
    for (const step of undo.reverse()) await step()
  }
}

/** The log holds each acknowledged message once, at rising positions, and each sender's in the order in which it sent them. */
function checkLog (texts: string[], acknowledged: Acknowledged[]): void {
  expect([...texts].sort()).toEqual(acknowledged.map(({ text }) => text).sort())
  const positionOf = new Map(acknowledged.map(({ text, cursor }) => [text, parseCursor(cursor)!.position]))
  const positions = texts.map(text => positionOf.get(text)!)
  expect(positions).toEqual(positions.toSorted((a, b) => a - b))
  expect(new Set(positions).size).toBe(positions.length)
  for (let sender = 0; sender < SENDERS; sender++) {
    const counts = texts.filter(text => text.startsWith(`${sender}/`)).map(text => Number(text.split('/')[1]))
    expect(counts).toEqual(counts.map((_, index) => index))
  }
}
