/**
 * A standby is promoted that has missed commits: the log ends before what was delivered, or goes on there with other entries.
 * Whoever had something of what was lost is told of a gap; nobody gets what does not go on from what it had.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../src/store/contract/store.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, createUser, join, send } from '../support/commands.ts'
import { delayReads, randomsOf } from '../support/delayed-reads.ts'
import { openReader, textsOf, type Reader } from '../support/sse.ts'
import { openTwoHistories, type TwoHistories } from '../support/two-histories.ts'

const ROOM = 'room-of-amy'

let histories: TwoHistories
let on: TestApp
let amy: Record<string, string>
/** Texts of each history, in order. */
let told: { first: string[], second: string[] }

/** What the node is not told before this resolves, though it looks. */
let unnoticed: Promise<void>

const lookingLate = (store: Store): Store => new Proxy(store, {
  get (target, name) {
    const member: unknown = Reflect.get(target, name, target)
    if (name !== 'tail') return member
    return async (...args: Parameters<Store['tail']>) => {
      await unnoticed
      return await target.tail(...args)
    }
  }
})

async function start (delayed?: number): Promise<void> {
  histories = await openTwoHistories()
  unnoticed = Promise.resolve()
  const store = lookingLate(histories.store)
  on = await startApp({ alone: true, wrapStore: () => delayed === undefined ? store : delayReads(store, { seed: delayed }) })
  told = { first: [], second: [] }
  for (const user of ['amy', 'ben']) await histories.store.append(createUser(user))
  await histories.store.append(createChannel('amy', ROOM))
  await histories.store.append(join('ben', ROOM))
  amy = await on.user('amy')
}
async function stop (): Promise<void> {
  await on.stop()
  await histories.close()
}

const say = async (text: string, history: 'both' | 'first' | 'second') => {
  await histories.store.append(send('ben', ROOM, text))
  for (const name of ['first', 'second'] as const) if (history === name || history === 'both') told[name].push(text)
}
const sayAll = async (count: number, what: string, history: 'both' | 'first' | 'second') => {
  for (let index = 0; index < count; index++) await say(`${what} ${index}`, history)
}

const kinds = ['user', 'channel', 'application'] as const
type Kind = typeof kinds[number]
const paths: Record<Kind, string> = { user: '/v1/users/me/events', channel: `/v1/channels/${ROOM}/events`, application: '/v1/events' }
const open = (kind: Kind, id?: string): Promise<Reader> =>
  openReader(on.url + paths[kind], { ...kind === 'application' ? on.application : amy, ...id === undefined ? {} : { 'last-event-id': id } })
const text = (wanted: string) => ({ json }: Reader['frames'][number]) => json.message?.textPayload === wanted
const gapsOf = ({ frames }: Reader) => frames.filter(({ event }) => event === 'gap').map(({ json }) => json.reason)

describe('after a promotion that has lost commits', () => {
  beforeEach(() => start())
  afterEach(stop)

  describe.each(kinds)('a %s stream', kind => {
    it.each([0, 1, 3, 8])('that had three lost entries is told of a gap, where %i others have taken their place', async others => {
      const reader = await open(kind)
      await reader.until('caught-up')
      await sayAll(3, 'in both', 'both')
      histories.cutOff()
      await sayAll(3, 'lost', 'first')
      await reader.until(text('lost 2'))
      await histories.promote()
      await sayAll(others, 'instead', 'second')
      expect((await reader.until('bye')).json.reason).toBe('unavailable')
      await reader.ended
      expect(textsOf(reader)).toEqual(told.first)

      const again = await open(kind, reader.lastId())
      expect((await again.until('gap')).json.reason).toBe('unknown')
      await again.until('caught-up')
      await say('after it', 'second')
      await again.until(text('after it'))
      expect(textsOf(again)).toEqual(['after it'])
      again.close()
    })

    it('that comes back before this node has noticed gets nothing of what was lost', async () => {
      const reader = await open(kind)
      await reader.until('caught-up')
      histories.cutOff()
      await sayAll(3, 'lost', 'first')
      await reader.until(text('lost 2'))
      reader.close()
      const { promise, resolve: notice } = Promise.withResolvers<void>()
      unnoticed = promise
      await histories.promote()
      const [again, anew] = [await open(kind, reader.lastId()), await open(kind)]
      await Promise.all([again.until('bye'), anew.until('bye')])
      expect([textsOf(again), gapsOf(again), textsOf(anew), gapsOf(anew)]).toEqual([[], ['unknown'], [], []])
      notice()
    })

    it('that had nothing of what was lost goes on without a gap', async () => {
      const reader = await open(kind)
      await reader.until('caught-up')
      await sayAll(2, 'in both', 'both')
      await reader.until(text('in both 1'))
      reader.close()
      histories.cutOff()
      await sayAll(3, 'lost', 'first')
      await histories.promote()
      await sayAll(5, 'instead', 'second')
      let [id, texts]: [string | undefined, string[]] = [reader.lastId(), []]
      while (texts.at(-1) !== 'instead 4') {
        const again = await open(kind, id)
        await Promise.race([again.ended, again.until(text('instead 4'))])
        expect(gapsOf(again)).toEqual([])
        texts = [...texts, ...textsOf(again)]
        id = again.lastId()
        again.close()
      }
      expect(texts).toEqual(told.second.slice(2))
    })
  })
})

/** A client that comes back as an `EventSource` does, at once, and notes what it was told. */
class Client {
  /** Texts between gaps. */
  readonly runs: string[][] = [[]]
  #reader: Reader | undefined
  #stopped = false
  readonly over: Promise<void>

  constructor (kind: Kind) {
    this.over = this.#read(kind)
  }

  async #read (kind: Kind): Promise<void> {
    for (let id: string | undefined; !this.#stopped;) {
      const reader = this.#reader = await open(kind, id)
      await reader.ended
      for (const frame of reader.frames) {
        if (frame.event === 'gap') this.runs.push([])
        if (frame.event === 'message') this.runs.at(-1)!.push(frame.json.message.textPayload)
      }
      id = reader.lastId() ?? id
    }
  }

  /** Cuts the connection, as a network does. */
  cut (): void {
    this.#reader?.close()
  }

  /** Whether it has got one of some texts. */
  has (texts: string[]): boolean {
    const got = [...this.runs.flat(), ...this.#reader === undefined ? [] : textsOf(this.#reader)]
    return got.some(text => texts.includes(text))
  }

  async stop (): Promise<void> {
    this.#stopped = true
    this.#reader!.close()
    await this.over
  }
}

const isSlice = (run: string[], whole: string[]): boolean => run.length === 0 || whole.slice(whole.indexOf(run[0]!)).slice(0, run.length).join('|') === run.join('|')

describe('clients that come back again and again, where reads take time', () => {
  it.each([1, 2, 3, 4, 5, 6])('have between two gaps what one of the histories has, without a hole (%i)', async seed => {
    await start(seed)
    const random = randomsOf(seed)
    const upTo = (most: number) => Math.floor(random() * (most + 1))
    const clients = kinds.flatMap(kind => Array.from({ length: 4 }, () => new Client(kind)))
    const cuts = setInterval(() => clients[upTo(clients.length - 1)]!.cut(), 30)
    await sayAll(upTo(300), 'in both', 'both')
    await sleep(upTo(200))
    histories.cutOff()
    await sayAll(1 + upTo(30), 'lost', 'first')
    await sleep(upTo(100))
    await histories.promote()
    await sayAll(upTo(60), 'instead', 'second')
    await sleep(upTo(400))
    clearInterval(cuts)
    // Whoever is told of a gap begins at the head: what it is to have comes after that.
    const last: string[] = []
    for (const until = Date.now() + 15_000; !clients.every(client => client.has(last));) {
      expect(Date.now(), 'all have come to the end').toBeLessThan(until)
      last.push(`the last ${last.length}`)
      await say(last.at(-1)!, 'second')
      await sleep(50)
    }
    await Promise.all(clients.map(client => client.stop()))
    for (const { runs } of clients) {
      for (const run of runs) expect(isSlice(run, told.first) || isSlice(run, told.second), `${run.join(', ')}`).toBe(true)
      expect(isSlice(runs.at(-1)!, told.second)).toBe(true)
    }
    expect(clients.some(({ runs }) => runs.length > 1)).toBe(true)
    await stop()
  })
})
