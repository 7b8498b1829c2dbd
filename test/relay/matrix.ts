/** The whole matrix: who may do what to whom in which type of channel, over HTTP and by the model. */
import { expect } from 'vitest'
import { entryGist } from '../model/gists.ts'
import { take } from '../model/model.ts'
import { memberLines, newState } from '../model/state.ts'
import { isEntry } from '../support/sse.ts'
import { groupTypes, SYSTEM, type GroupType, type Step } from './steps.ts'
import { agrees } from './tables.ts'
import type { World } from './world.ts'

/** Everybody is what its name says; `another` of each is there to be done something to. */
const states = ['stranger', 'pending', 'active', 'muted', 'disabled', 'admin'] as const
const actors = [...states, SYSTEM]
const targets = [...states, SYSTEM, 'oneself']
const another = (state: string) => state === SYSTEM ? SYSTEM : `another-${state}`

const toSomebody: Record<string, (by: string, user: string, channel: string) => Step> = {
  add: (by, user, channel) => ({ do: 'add', by, user, channel, status: 'Active' }),
  remove: (by, user, channel) => ({ do: 'remove', by, user, channel }),
  accept: (by, user, channel) => ({ do: 'accept', by, user, channel }),
  reject: (by, user, channel) => ({ do: 'reject', by, user, channel }),
  mute: (by, user, channel) => ({ do: 'mute', by, user, channel }),
  unmute: (by, user, channel) => ({ do: 'unmute', by, user, channel }),
  'patch status: Active': (by, user, channel) => ({ do: 'set status', by, user, channel, status: 'Active' }),
  'patch status: ReadOnly': (by, user, channel) => ({ do: 'set status', by, user, channel, status: 'ReadOnly' }),
  'patch status: Disabled': (by, user, channel) => ({ do: 'set status', by, user, channel, status: 'Disabled' }),
  'patch roles: admin': (by, user, channel) => ({ do: 'set roles', by, user, channel, admin: true }),
  'patch roles: none': (by, user, channel) => ({ do: 'set roles', by, user, channel, admin: false })
}

const alone: Record<string, (by: string, channel: string) => Step> = {
  join: (by, channel) => ({ do: 'join', by, channel }),
  leave: (by, channel) => ({ do: 'leave', by, channel }),
  send: (by, channel) => ({ do: 'send', by, channel, text: 'hello' }),
  'get channel': (by, channel) => ({ do: 'get channel', by, channel }),
  'list participants': (by, channel) => ({ do: 'list participants', by, channel }),
  'list messages': (by, channel) => ({ do: 'list messages', by, channel }),
  stream: (by, channel) => ({ do: 'stream', by, channel }),
  delete: (by, channel) => ({ do: 'delete', by, channel })
}

export const matrixPeople: string[] = states.flatMap(state => [state, another(state)])

/** On a public channel nobody is ever pending. */
const impossible = (group: GroupType, who: string) => group === 'public' && who === 'pending'

export class Matrix {
  readonly #world: World
  readonly #disagreements: string[] = []
  readonly #history: string[] = []
  #state = newState()
  #channels = 0

  constructor (world: World) {
    this.#world = world
  }

  get #channel (): string {
    return `channel${this.#channels}`
  }

  /** Runs every cell; returns the table as text, and what differs from the model, a line a cell. */
  async run (): Promise<{ text: string, disagreements: string[] }> {
    const stream = await this.#world.open(SYSTEM, 'all')
    await stream.until('ready')
    const parts: string[] = []
    for (const group of groupTypes) parts.push(`${group}\n${'='.repeat(group.length)}`, await this.#alone(group), ...await this.#toSomebody(group))
    await this.#renew('public')
    await stream.until(frame => isEntry(frame) && this.#world.gist(frame) === `channel ${this.#channel}`)
    stream.close()
    expect(this.#world.gists(stream), 'the stream of everything').toEqual([...this.#history, ...this.#told()])
    return { text: `${parts.join('\n\n')}\n`, disagreements: this.#disagreements }
  }

  /** What has happened in the channel that there is. */
  #told (): string[] {
    return this.#state.history.map(entry => entryGist(entry, user => user))
  }

  async #alone (group: GroupType): Promise<string> {
    await this.#renew(group)
    const rows: string[][] = [['', ...actors]]
    for (const [name, step] of Object.entries(alone)) {
      const row = [name]
      for (const by of actors) row.push(impossible(group, by) ? '' : await this.#cell(group, step(by, this.#channel)))
      rows.push(row)
    }
    return table(rows)
  }

  async #toSomebody (group: GroupType): Promise<string[]> {
    const tables: string[] = []
    for (const [name, step] of Object.entries(toSomebody)) {
      const rows: string[][] = [[name, ...targets]]
      for (const by of actors) {
        const row = [by]
        for (const target of targets) {
          const user = target === 'oneself' ? by : another(target)
          row.push(impossible(group, by) || impossible(group, target) ? '' : await this.#cell(group, step(by, user, this.#channel)))
        }
        rows.push(row)
      }
      tables.push(table(rows))
    }
    return tables
  }

  /** One cell: what the service says, compared with the model, and who is in the channel then. */
  async #cell (group: GroupType, step: Step): Promise<string> {
    const expected = take(this.#state, step)
    const { said } = await this.#world.take(step)
    const members = await this.#world.members(this.#channel)
    const channel = this.#state.channels.get(this.#channel)
    const left = channel && memberLines(this.#state, channel)
    const fits = agrees(expected, said) && JSON.stringify(members) === JSON.stringify(left)
    if (!fits) this.#disagreements.push(`${group}: ${JSON.stringify(step)}: ${said}, then ${members}; by relay.md ${expected}, then ${left}`)
    if (!fits || expected.startsWith('2')) await this.#renew(group)
    return said
  }

  /** A channel with everybody in it as what they are called. */
  async #renew (group: GroupType): Promise<void> {
    this.#history.push(...this.#told())
    this.#state = newState()
    this.#channels++
    const listed = ['admin', 'active', 'muted', 'disabled'].flatMap(state => [state, another(state)].map(user => ({
      user, admin: state === 'admin', status: state === 'muted' ? 'ReadOnly' as const : state === 'disabled' ? 'Disabled' as const : 'Active' as const
    })))
    const steps: Step[] = [{ do: 'create', by: SYSTEM, channel: this.#channel, group, listed }]
    if (group !== 'public') for (const by of ['pending', another('pending')]) steps.push({ do: 'join', by, channel: this.#channel })
    for (const step of steps) expect(await this.#world.take(step)).toMatchObject({ said: take(this.#state, step) })
  }
}

/** Columns of equal width, the first of rows as a head. */
function table (rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  const lines = rows.map(row => row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ').trimEnd())
  return [lines[0], widths.map(width => '-'.repeat(width)).join('-|-'), ...lines.slice(1)].join('\n')
}
