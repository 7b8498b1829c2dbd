/** Random programs of joins, leaves, deletions and edits against the model: every stream, live and resumed at every cursor. */
import fc from 'fast-check'
import { expect } from 'vitest'
import { SYSTEM, type Command } from '../../src/store/contract/commands.ts'
import type { Interest, Position } from '../../src/store/contract/log.ts'
import type { Store } from '../../src/store/contract/store.ts'
import type { TestApp } from '../support/app.ts'
import { createChannel, createUser, gist, gists, join, leave, send } from '../support/commands.ts'
import { isEntry, openReader, type Frame, type Reader as SseReader } from '../support/sse.ts'
import { Model, type Reader, type Step } from './rights-model.ts'

const USERS = 3
const CHANNELS = 2
const user = fc.nat(USERS - 1)
const channel = fc.nat(CHANNELS - 1)
const group = fc.constantFrom('public' as const, 'private' as const, 'strict_private' as const)
const status = fc.constantFrom('active' as const, 'pending' as const, 'muted' as const, 'disabled' as const)
const message = fc.nat(3)

/** What a program is made of; `watch` opens a stream that stays, `cut` closes the oldest. */
type Line = Step | { do: 'watch', reader: 'user' | 'channel' | 'application', user: number, channel: number } | { do: 'cut' }

const line: fc.Arbitrary<Line> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('create' as const), by: user, channel, group }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('create-by-system' as const), channel, group, members: fc.uniqueArray(fc.record({ user, status, admin: fc.boolean() }), { selector: ({ user }) => user })
    })
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('join' as const), by: user, channel }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('add' as const), user, channel, status }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('leave' as const), by: user, channel }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const), by: user, channel }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('edit' as const, 'delete' as const), message }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('truncate' as const, 'delete-channel' as const), channel }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('watch' as const), reader: fc.constantFrom('user' as const, 'channel' as const, 'application' as const), user, channel }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const) }) }
)

export const programs = fc.array(line, { minLength: 4, maxLength: 36, size: 'max' })

let serial = 0

/** Runs one program on users and channels of its own, and compares. */
export async function runProgram (on: TestApp, program: Line[]): Promise<void> {
  await new Run(on).run(program)
}

interface Watched {
  reader: Reader
  stream: SseReader
  /** Index of the first entry that it could get. */
  from: number
}

class Run {
  readonly #on: TestApp
  readonly #store: Store
  readonly #id = ++serial
  readonly #model = new Model(user => this.#user(user))
  /** Where each entry of the program lies in the log. */
  readonly #positions: Position[] = []
  /** One more than entries: the first is the place before the program. */
  readonly #cursors: string[] = []
  #start: Position = 0
  readonly #keys = new Map<unknown, number>()
  readonly #headers: Array<Record<string, string>> = []
  readonly #watched: Watched[] = []

  constructor (on: TestApp) {
    this.#on = on
    this.#store = on.store
  }

  #user = (user: number) => `user${user}-of-${this.#id}`
  #channel = (channel: number) => `channel${channel}-of-${this.#id}`
  #message = (message: number) => `message${message}-of-${this.#id}`

  async run (program: Line[]): Promise<void> {
    for (let user = 0; user < USERS; user++) {
      await this.#store.append(createUser(this.#user(user)))
      this.#headers.push(await this.#on.user(this.#user(user)))
    }
    const start = await this.#store.head()
    this.#start = start.position
    this.#cursors.push(start.cursor)
    const end = this.#store.onCommitted(entries => {
      this.#positions.push(...entries.map(({ position }) => position))
      this.#cursors.push(...entries.map(({ cursor }) => cursor))
    })
    try {
      for (const line of program) {
        if (line.do === 'watch') await this.#watch(line)
        else if (line.do === 'cut') await this.#cut()
        else await this.#step(line)
      }
      while (this.#watched.length > 0) await this.#cut()
      await this.#resumeEverywhere()
    } finally {
      end()
      for (const { stream } of this.#watched) stream.close()
    }
  }

  async #step (step: Step): Promise<void> {
    const before = this.#model.entries.length
    const command = this.#command(step)
    const expected = this.#model.step(step)
    const done = await this.#store.append(command).then(() => true, (err: { status?: number }) => {
      if ((err.status ?? 500) >= 500) throw err
      return false
    })
    expect(done, JSON.stringify(step)).toBe(expected)
    expect(this.#positions.length, JSON.stringify(step)).toBe(this.#model.entries.length)
    if (step.do.startsWith('create') && done) {
      const { interest } = await this.#store.openStream({ of: 'channel', channelId: this.#channel((step as { channel: number }).channel), actor: SYSTEM }, { from: 'head' })
      this.#keys.set(this.#model.instances.at(-1), (interest as { channelKey: number }).channelKey)
    }
    // A replay that was at any place when this happened goes on by what is now: two places each time will do.
    for (const from of [0, Math.floor(before / 2)]) {
      for (const reader of this.#readers()) await this.#page(reader, from, 1 + (before % 3))
    }
  }

  #command (step: Step): Command {
    const text = this.#model.peekText()
    switch (step.do) {
      case 'create': return createChannel(this.#user(step.by), this.#channel(step.channel), { groupType: step.group })
      case 'create-by-system': return createChannel(SYSTEM, this.#channel(step.channel), {
        groupType: step.group,
        participants: step.members.map(({ user, status, admin }) => ({ userId: this.#user(user), status, roles: admin ? ['admin'] : [] }))
      })
      case 'join': return join(this.#user(step.by), this.#channel(step.channel))
      case 'add': return { type: 'add-participant', actor: SYSTEM, userId: this.#user(step.user), channelId: this.#channel(step.channel), status: step.status }
      case 'leave': return leave(this.#user(step.by), this.#channel(step.channel))
      case 'send': return send(this.#user(step.by), this.#channel(step.channel), text, { messageId: this.#message(this.#model.messages.length) })
      case 'edit': {
        const { actor, channelId } = this.#owner(step.message)
        return { type: 'edit-message', actor, channelId, messageId: this.#message(step.message), textPayload: text }
      }
      case 'delete': return { type: 'delete-messages', ...this.#owner(step.message), messageIds: [this.#message(step.message)] }
      case 'truncate': return { type: 'truncate-channel', actor: SYSTEM, channelId: this.#channel(step.channel) }
      case 'delete-channel': return { type: 'delete-channel', actor: SYSTEM, channelId: this.#channel(step.channel) }
    }
  }

  #owner (message: number): { actor: string, channelId: string } {
    const known = this.#model.messages[message]
    return { actor: this.#user(known?.sender ?? 0), channelId: this.#channel(known?.instance.channel ?? 0) }
  }

  /** Every reader that may read now: users, channels as members and as the application, the application. */
  #readers (): Reader[] {
    const users = Array.from({ length: USERS }, (_, user) => user)
    return [
      { of: 'application' },
      ...users.map(user => ({ of: 'user' as const, user })),
      ...this.#model.instances.flatMap(instance => [undefined, ...users]
        .filter(user => this.#model.mayStream(instance, user))
        .map(user => ({ of: 'channel' as const, instance, ...(user === undefined ? {} : { user }) })))
    ]
  }

  #interest (reader: Reader): Interest {
    if (reader.of === 'application') return { of: 'application' }
    if (reader.of === 'user') return { of: 'user', userId: this.#user(reader.user) }
    return {
      of: 'channel',
      channelId: this.#channel(reader.instance.channel),
      channelKey: this.#keys.get(reader.instance)!,
      ...(reader.user === undefined ? {} : { userId: this.#user(reader.user) })
    }
  }

  #expected (reader: Reader, from: number, to: number): string[] {
    return this.#model.entries.slice(from, to).filter(entry => this.#model.replayed(reader, entry)).map(({ gist }) => this.#spelled(gist))
  }

  /** The model knows messages by number. */
  #spelled (gist: string): string {
    const [, id] = /^message-deleted (\d+)$/.exec(gist) ?? []
    return id === undefined ? gist : `message-deleted ${this.#message(Number(id))}`
  }

  /** One page from the entry `from` on, compared with the model up to where the page says that it looked. Returns how far that is. */
  async #page (reader: Reader, from: number, limit: number): Promise<number> {
    const after = this.#after(from)
    const { entries, through, rights } = await this.#store.read(this.#interest(reader), after, limit)
    const to = rights === undefined ? this.#positions.indexOf(through.position) + 1 : this.#model.entries.length
    expect(gists(entries), `${JSON.stringify(this.#interest(reader))} from ${from}`).toEqual(this.#expected(reader, from, to))
    return rights === undefined ? to : Infinity
  }

  /** The place before the program's entry of this index. */
  #after (index: number): Position {
    return index === 0 ? this.#start : this.#positions[index - 1]!
  }

  async #resumeEverywhere (): Promise<void> {
    for (const reader of this.#readers()) {
      for (let from = 0; from <= this.#model.entries.length; from++) await this.#page(reader, from, 500)
      await this.#resumeOverHttp(reader, (this.#id * 7) % (this.#model.entries.length + 1))
    }
  }

  async #resumeOverHttp (reader: Reader, from: number): Promise<void> {
    if (reader.of === 'channel' && from <= reader.instance.created) return // a gap: said elsewhere
    const stream = await openReader(`${this.#on.url}${this.#path(reader)}?after=${this.#cursors[from]}`, this.#headersOf(reader))
    await stream.until('caught-up')
    stream.close()
    expect(stream.frames.filter(isEntry).map(gistOf), `${this.#path(reader)} from ${from}`).toEqual(this.#expected(reader, from, this.#model.entries.length))
  }

  #path (reader: Reader): string {
    if (reader.of === 'application') return '/v1/events'
    return reader.of === 'user' ? '/v1/users/me/events' : `/v1/channels/${this.#channel(reader.instance.channel)}/events`
  }

  #headersOf (reader: Reader): Record<string, string> {
    return reader.of === 'application' || reader.user === undefined ? this.#on.application : this.#headers[reader.user]!
  }

  async #watch (line: Extract<Line, { do: 'watch' }>): Promise<void> {
    let reader: Reader = line.reader === 'user' ? { of: 'user', user: line.user } : { of: 'application' }
    if (line.reader === 'channel') {
      const instance = this.#model.living(line.channel)
      const stream = await openReader(`${this.#on.url}/v1/channels/${this.#channel(line.channel)}/events`, this.#headers[line.user]!)
      const may = instance !== undefined && this.#model.mayStream(instance, line.user)
      if (!may) {
        stream.close()
        expect(stream.status).toBe(instance === undefined ? 404 : 403)
        return
      }
      reader = { of: 'channel', instance, user: line.user }
      await stream.until('caught-up')
      this.#watched.push({ reader, stream, from: this.#model.entries.length })
      return
    }
    const stream = await openReader(this.#on.url + this.#path(reader), this.#headersOf(reader))
    await stream.until('caught-up')
    this.#watched.push({ reader, stream, from: this.#model.entries.length })
  }

  /** Ends the oldest stream, and looks at what it got. */
  async #cut (): Promise<void> {
    const oldest = this.#watched.shift()
    if (oldest === undefined) return
    const { reader, stream, from } = oldest
    const expected: string[] = []
    let ends = false
    for (const entry of this.#model.entries.slice(from)) {
      if (!this.#model.live(reader, entry)) continue
      expected.push(this.#spelled(entry.gist))
      if (reader.of !== 'channel') continue
      const status = entry.members.get(reader.user!)
      ends = entry.gist === 'channel-deleted' || (entry.about === reader.user && status !== 'active' && status !== 'muted')
      if (ends) break
    }
    if (ends) await stream.ended
    else if (expected.length > 0) await stream.until(frame => stream.frames.filter(isEntry).length >= expected.length && isEntry(frame))
    stream.close()
    await stream.ended
    expect(stream.frames.filter(isEntry).map(gistOf), `live ${this.#path(reader)} from ${from}`).toEqual(expected)
  }
}

function gistOf (frame: Frame): string {
  return gist({ kind: frame.event as never, position: 0, cursor: '', payload: JSON.stringify(frame.json) })
}
