/** What each reader is given who comes back at any cursor of a program: pages of the store, and streams over HTTP. */
import { expect } from 'vitest'
import type { Page, Resume, Rights, StreamRequest, StreamStart } from '../../src/store/contract/log.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { SYSTEM } from '../relay/steps.ts'
import type { World } from '../relay/world.ts'
import { isEntry } from '../support/sse.ts'
import type { Law, Reader } from './history.ts'
import { plainLaw } from './law.ts'
import type { Channel, State } from './state.ts'
import type { Tail } from './tail.ts'

/** Entries in a page of the stream of everything, of which only those of the program are looked at. */
const EVERYTHING_LIMIT = 60

/** What each entry is to a reader who comes back now: a line, or nothing; and whether it may do without. */
type Later = Array<{ index: number, gist: string | undefined, mayMiss: boolean }>

/** @param read which entries were read: of those that a reader may do without, these are expected */
const told = (later: Later, from: number, to: number, read: Set<number>): string[] =>
  later.slice(from, to).flatMap(({ index, gist, mayMiss }) => gist === undefined || (mayMiss && !read.has(index)) ? [] : [gist])

export class Replays {
  readonly #store: Store
  readonly #world: World
  readonly #state: State
  readonly #tail: Tail
  /** The log's head before the program. */
  readonly #start: string
  readonly #users: string[]
  readonly #law: Law

  constructor (store: Store, world: World, state: State, tail: Tail, start: string, users: string[], law = plainLaw) {
    this.#store = store
    this.#world = world
    this.#state = state
    this.#tail = tail
    this.#start = start
    this.#users = users
    this.#law = law
  }

  /** Everybody who may read now: the application, users, and both of each channel. */
  readers (): Reader[] {
    const { history } = this.#state
    const users = this.#users.filter(user => !this.#state.deleted.has(user))
    return [
      { of: 'application' },
      ...users.map(user => ({ of: 'user' as const, user })),
      ...[...this.#state.channels.values()].flatMap(channel => [
        { of: 'channel' as const, channel },
        ...users.map(user => ({ of: 'channel' as const, channel, user })).filter(reader => this.#law.receives(reader, history, history.length))
      ])
    ]
  }

  /**
   * Every reader at every cursor, and each at one of them over HTTP.
   * @param oneIn of so many cursors one, and of so many readers: another in each program
   */
  async everywhere (oneIn = 1): Promise<void> {
    const many = this.#state.history.length + 1
    const isTurn = (nth: number) => (nth + many) % oneIn === 0
    await Promise.all(this.readers().map(async (reader, nth) => {
      const later = this.#later(reader)
      const cursors = Array.from({ length: many }, (_, from) => from).filter(from => isTurn(nth + from))
      await Promise.all(cursors.map(from => this.#from(reader, later, from, (nth + from) % 4 === 0 ? 1 + from % 4 : 500)))
      if (isTurn(nth)) await this.#overHttp(reader, later, (nth * 7 + many) % many)
    }))
  }

  /** A reader after so many entries, page by page. */
  async from (reader: Reader, from: number, limit: number): Promise<void> {
    await this.#from(reader, this.#later(reader), from, limit)
  }

  async #from (reader: Reader, later: Later, from: number, limit: number): Promise<void> {
    const start = await this.#open(reader, from)
    if (start === undefined) return
    const everything = reader.of === 'application'
    for (let after = start.place, looked = from, ahead: Page['ahead']; ;) {
      const page = await this.#store.read(start.interest, after, everything ? EVERYTHING_LIMIT : limit, ahead)
      const to = this.#tail.upTo(page.through.position)
      expect(this.#gists(page), `${show(reader)} after entry ${looked}`).toEqual(told(later, looked, to, this.#indexes(page.entries)))
      if (page.rights !== undefined) return expect(sorted(page.rights), `rights of ${show(reader)}`).toEqual(sorted(this.#rights(reader)))
      if (everything) return
      [after, looked, ahead] = [page.through, to, page.ahead]
    }
  }

  /** Where the store says that it may begin; undefined where that must be a gap. */
  async #open (reader: Reader, from: number): Promise<StreamStart | undefined> {
    const start = await this.#store.openStream(this.#request(reader), this.#resume(from))
    const gap = this.#isGap(reader, from)
    expect(start.gap, `${show(reader)} after entry ${from}`).toBe(gap ? 'unknown' : undefined)
    if (gap) return undefined
    expect(start.place.cursor).toBe(this.#cursor(from))
    return start
  }

  #isGap (reader: Reader, from: number): boolean {
    return reader.of === 'channel' && from <= reader.channel.created
  }

  #cursor (from: number): string {
    return from === 0 ? this.#start : this.#tail.places[from - 1]!.cursor
  }

  #resume (from: number): Resume {
    return { from: 'cursor', cursor: this.#cursor(from) }
  }

  #request (reader: Reader): StreamRequest {
    switch (reader.of) {
      case 'application': return reader
      case 'user': return { of: 'user', userId: this.#world.id(reader.user) }
      case 'channel': return { of: 'channel', channelId: this.#world.id(reader.channel.name), actor: reader.user === undefined ? SYSTEM : this.#world.id(reader.user) }
    }
  }

  /** What a reader is told now of each entry, if anything. */
  #later (reader: Reader): Later {
    const { history } = this.#state
    const moment = history.length
    return history.map((_, index) => ({
      index, gist: this.#law.later(reader, history, index, moment), mayMiss: this.#law.mayMiss?.(reader, history, index, moment) ?? false
    }))
  }

  #indexes (entries: Array<{ cursor: string }>): Set<number> {
    return new Set(entries.map(({ cursor }) => this.#tail.indexOf(cursor)).filter(index => index !== undefined))
  }

  #gists ({ entries }: Page): string[] {
    return entries.filter(({ cursor }) => this.#tail.indexOf(cursor) !== undefined)
      .map(({ kind, payload }) => this.#law.told({ event: kind, json: JSON.parse(payload!) }, id => this.#world.name(id)))
  }

  /** The channels that a reader is in, and its standing there. */
  #rights (reader: Reader): Rights {
    if (reader.of === 'application') return { channels: [] }
    const made = this.#state.history.filter(({ kind }) => kind === 'channel').map(({ channel }) => channel as Channel)
    const channels = made.flatMap((channel, nth) => {
      if (channel.deletedAt !== undefined || (reader.of === 'channel' && reader.channel !== channel)) return []
      const channelKey = this.#tail.channelKeys[nth]!
      if (reader.user === undefined) return [{ channelKey, status: 'active' as const, admin: true }]
      const member = channel.members.get(reader.user)
      return member === undefined ? [] : [{ channelKey, status: member.status, admin: member.admin }]
    })
    return { channels }
  }

  async #overHttp (reader: Reader, later: Later, from: number): Promise<void> {
    if (this.#isGap(reader, from)) return
    const by = reader.of === 'application' || reader.user === undefined ? SYSTEM : reader.user
    const what = reader.of === 'application' ? 'all' : reader.of === 'user' ? 'me' : reader.channel.name
    // All that a user ever could have is of this program.
    const stream = await this.#world.open(by, what, from === 0 && what === 'me' ? 'earliest' : this.#cursor(from))
    await stream.until('caught-up')
    stream.close()
    const frames = stream.frames.filter(frame => isEntry(frame) && this.#tail.indexOf(frame.id) !== undefined)
    const read = this.#indexes(frames.map(({ id }) => ({ cursor: id! })))
    expect(frames.map(frame => this.#law.told(frame, id => this.#world.name(id))), `${by} ${what} over HTTP after entry ${from}`).toEqual(told(later, from, later.length, read))
  }
}

function show (reader: Reader): string {
  return reader.of === 'channel' ? `${reader.user ?? SYSTEM} in ${reader.channel.name}` : reader.of === 'user' ? reader.user : 'the application'
}

/** Of the channels that somebody is in. */
const sorted = ({ channels }: Rights): Rights['channels'] => channels.filter(({ status }) => status !== undefined)
  .map(({ channelKey, status, admin }) => ({ channelKey, status: status!, admin })).sort((one, other) => one.channelKey - other.channelKey)
