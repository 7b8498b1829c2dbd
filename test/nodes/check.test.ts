/** The checker itself: a true history passes, and whatever is made false in it is found. */
import { expect, it } from 'vitest'
import { formatCursor } from '../../src/store/core/cursor.ts'
import { check } from './check.ts'
import type { History, Told } from './history.ts'

const id = (position: number, tag = 7) => formatCursor('epochepoch01', position, tag)

const participation = (position: number, user: string, channel: string, status?: string): Told =>
  ({ id: id(position), event: status === undefined ? 'participation-deleted' : 'participation', channel, user, ...(status === undefined ? {} : { status }) })
const message = (position: number, user: string, channel: string, text: string): Told =>
  ({ id: id(position), event: 'message', channel, message: `id-of-${text}`, text, user })

const entries: Told[] = [
  participation(1, 'amy', 'one', 'active'),
  participation(2, 'amy', 'two', 'active'),
  participation(3, 'bob', 'one', 'active'),
  message(5, 'amy', 'one', 'a1'),
  message(6, 'amy', 'two', 'a2'),
  message(7, 'bob', 'one', 'b1'),
  participation(8, 'bob', 'one', 'muted'),
  message(9, 'amy', 'one', 'a3'),
  participation(10, 'bob', 'one', 'active'),
  message(11, 'bob', 'one', 'b2'),
  participation(12, 'bob', 'one'),
  message(13, 'amy', 'one', 'a4'),
  message(14, 'amy', 'two', 'a5')
]

const ready = (at?: string): Told => ({ event: 'ready', ...(at === undefined ? {} : { id: at }) })
const bobs = entries.filter(({ channel, event }, index) => channel === 'one' && index >= 2 && !(event === 'message' && index > 10))
const ones = entries.filter(({ channel }) => channel === 'one')

/** Each position's entry was committed at ten times that time. */
function truth (): History {
  const send = (position: number) => {
    const { user, channel, text, message, id: cursor } = entries.find(entry => entry.id === id(position))!
    return { user: user!, channel: channel!, text: text!, askedAt: position * 10 - 4, answeredAt: position * 10 + 4, status: 200, nodes: [0], cursor: cursor!, message: message! }
  }
  const change = (position: number, to: 'active' | 'muted' | 'out', user = 'bob', channel = 'one') =>
    ({ user, channel, to, askedAt: position * 10 - 4, answeredAt: position * 10 + 4, status: 204, nodes: [0] })
  const list = (channel: string) => entries.filter(entry => entry.event === 'message' && entry.channel === channel).map(({ message, text }) => ({ id: message!, text: text! }))
  return structuredClone<History>({
    sends: [
      ...[5, 6, 7, 9, 11, 13, 14].map(send),
      { user: 'bob', channel: 'one', text: 'refused', askedAt: 86, answeredAt: 88, status: 403, reason: 'muted', nodes: [1] },
      { user: 'bob', channel: 'one', text: 'never answered', askedAt: 10, answeredAt: Infinity, nodes: [1, 2] }
    ],
    changes: [
      change(1, 'active', 'amy'), change(2, 'active', 'amy', 'two'),
      change(3, 'active'), change(8, 'muted'), change(10, 'active'), change(12, 'out')
    ],
    streams: [
      {
        name: 'all',
        connections: [
          { node: 0, status: 200, told: [ready(id(0)), { id: id(0), event: 'caught-up' }, ...entries.slice(0, 4)] },
          { node: 1, status: 200, after: id(5), told: [ready(id(5)), ...entries.slice(4, 8), { id: id(9), event: 'caught-up' }, { event: 'bye', reason: 'unavailable' }] },
          { node: 2, status: 200, after: id(9), told: [{ event: 'bye', reason: 'unavailable' }] },
          { node: 0, status: 200, after: id(9), told: [ready(id(9)), ...entries.slice(8)] }
        ]
      },
      { name: 'one', channel: 'one', connections: [{ node: 1, status: 200, told: [ready(id(2)), ...ones.slice(1)] }] },
      { name: 'bob', user: 'bob', connections: [{ node: 2, status: 200, told: [ready(id(0)), ...bobs, { id: id(14), event: 'checkpoint' }] }] }
    ],
    logs: [{ node: 0, told: [ready(), ...entries, { id: id(14), event: 'caught-up' }] }, { node: 1, told: entries }],
    lists: [{ node: 0, channel: 'one', messages: list('one') }, { node: 1, channel: 'two', messages: list('two') }]
  })
}

/** What one connection of a stream of the truth was told. */
const told = (history: History, stream: string, connection = 0): Told[] => history.streams.find(({ name }) => name === stream)!.connections[connection]!.told
const where = (told: Told[], text: string): number => told.findIndex(entry => entry.text === text)
const drop = (told: Told[], text: string): void => { told.splice(where(told, text), 1) }
const everywhere = (history: History, change: (told: Told[]) => void): void => {
  for (const { told } of history.logs) change(told)
  for (const { connections } of history.streams) for (const { told } of connections) change(told)
}
const sendOf = (history: History, text: string) => history.sends.find(send => send.text === text)!

it('finds nothing wrong in a true history', () => {
  expect(check(truth())).toEqual([])
})

it('allows that who has left did not get what was said shortly before', () => {
  const history = truth()
  drop(told(history, 'bob'), 'a3')
  expect(check(history)).toEqual([])
})

const falsehoods: Array<[what: string, how: (history: History) => void, found: RegExp]> = [
  ['a stream that lacks a message', history => drop(told(history, 'one'), 'a3'), /^one.* comes without .*a3/],
  ['a stream that lacks its last message', history => drop(told(history, 'one'), 'a4'), /^one: ends without .*a4/],
  ['a loss at the seam between two nodes', history => drop(told(history, 'all', 1), 'a2'), /^all, connection 1.* comes without .*a2/],
  ['a loss behind a checkpoint', history => { told(history, 'all', 1).splice(-3, 1) }, /^all, connection 1.*caught-up comes without .*a3/],
  ['a double on one connection', history => { const of = told(history, 'one'); of.splice(4, 0, of[3]!) }, /^one.* comes again/],
  ['a double at the seam', history => { told(history, 'all', 1).splice(1, 0, entries[3]!) }, /^all, connection 1.* comes again/],
  ['a swap', history => { const of = told(history, 'one'); [of[2], of[3]] = [of[3]!, of[2]!] }, /^one.*comes without|^one.*comes again/],
  ['another order on another node', history => { const { told } = history.logs[1]!; [told[3], told[4]] = [told[4]!, told[3]!] }, /node 1 tells .* where node 0 tells/],
  ['a node whose log is shorter', history => { history.logs[1]!.told.pop() }, /node 1 tells nothing where node 0 tells/],
  ['a node whose log is longer', history => { history.logs[1]!.told.push(message(15, 'amy', 'one', 'a6')) }, /node 1 tells .*a6 where node 0 ends/],
  ['positions that fall', history => { for (const { told } of history.logs) { const at = where(told, 'a1'); [told[at], told[at + 1]] = [told[at + 1]!, told[at]!] } }, /stands behind/],
  ['a message to somebody not entitled', history => { told(history, 'bob').push(entries[11]!) }, /^bob.*a4 is not for this reader/],
  ['a message of another channel', history => { told(history, 'one').splice(3, 0, entries[4]!) }, /^one.*a2 is not for this reader/],
  ['a leaving that the one who left was not told of', history => { const of = told(history, 'bob'); of.splice(of.findIndex(({ event }) => event === 'participation-deleted'), 1) }, /^bob.* comes without .*participation-deleted/],
  ['an entry that is told otherwise', history => { told(history, 'one')[where(told(history, 'one'), 'b1')] = message(7, 'bob', 'one', 'B1') }, /^one.*B1 is in the log .*b1/],
  ['an entry that the log does not have', history => { told(history, 'one').push({ ...message(13, 'amy', 'one', 'a4'), id: id(13, 8) }) }, /^one.* is not in the log/],
  ['an acknowledged message that is missing everywhere', history => everywhere(history, told => { if (where(told, 'a5') !== -1) drop(told, 'a5') }), /a5 was acknowledged as .* missing/],
  ['an acknowledgement of another place', history => { sendOf(history, 'a3').cursor = id(10) }, /a3 was acknowledged as/],
  ['a message under one key that is there twice', history => everywhere(history, told => { told.push(message(15, 'amy', 'two', 'a5')) }), /a5 is there 2 times/],
  ['a refused message that is there', history => everywhere(history, told => { told.push(message(15, 'amy', 'two', 'refused')) }), /refused was refused \(403\) and is there/],
  ['a message that nobody sent', history => everywhere(history, told => { told.push(message(15, 'amy', 'two', 'out of nothing')) }), /nobody sent out of nothing/],
  ['a message of somebody who was muted', history => everywhere(history, told => { for (const entry of told) if (entry.text === 'a3') entry.user = 'bob' }), /a3.* is by somebody who is muted/],
  ['a refusal without cause', history => { Object.assign(sendOf(history, 'refused'), { askedAt: 40, answeredAt: 44 }) }, /refused of bob .* without cause: 403/],
  ['an answer that nobody should get', history => { Object.assign(sendOf(history, 'refused'), { status: 500 }) }, /refused of bob .* without cause: 500/],
  ['a log that contradicts the clock', history => { Object.assign(sendOf(history, 'a5'), { askedAt: 20, answeredAt: 24 }) }, /a5 .* was answered .* before .* was asked, and stands behind it/],
  ['a mute that came too late', history => { Object.assign(sendOf(history, 'b1'), { askedAt: 86, answeredAt: 90 }); Object.assign(history.changes[3]!, { askedAt: 60, answeredAt: 64 }) }, /bob muted .* was answered .* before b1/],
  ['a change that was acknowledged and is missing', history => everywhere(history, told => { const at = told.findIndex(({ status }) => status === 'muted'); if (at !== -1) told.splice(at, 1) }), /bob in one was to become active muted active out, and became active active out/],
  ['a list that lacks a message', history => { history.lists[0]!.messages.splice(2, 1) }, /list: node 0 has .* in one where the log has .*a3/],
  ['a gap where nothing is too old', history => { told(history, 'all', 1).splice(1, 0, { id: id(5), event: 'gap', reason: 'unknown' }) }, /^all.*a gap, unknown/],
  ['a stream that is answered 503', history => { Object.assign(history.streams[0]!.connections[2]!, { status: 503, told: [] }) }, /^all.*answered 503/],
  ['a stream that begins without ready', history => { told(history, 'all', 3).shift() }, /^all, connection 3.* begins with/],
  ['a stream that goes on from elsewhere', history => { told(history, 'all', 3)[0] = ready(id(10)) }, /^all, connection 3.* was to go on after/],
  ['a run of which no log was read', history => { history.logs = [] }, /no log was read/]
]

it.each(falsehoods)('finds %s', (_what, how, found) => {
  const history = truth()
  how(history)
  expect(check(history).join('\n')).toMatch(new RegExp(found, 'm'))
})

/** A standby that lacked the last entries has taken over, and gone on otherwise. */
function lossy (): History {
  const history = truth()
  const lost = [{ ...message(13, 'amy', 'one', 'a4'), id: id(13, 8) }, { ...message(14, 'amy', 'one', 'gone'), id: id(14, 8) }]
  const all = history.streams[0]!
  const last = all.connections.at(-1)!
  last.told = [...last.told.slice(0, -2), ...lost]
  all.connections.push({ node: 1, status: 200, after: id(14, 8), told: [ready(id(14, 8)), { id: id(12), event: 'gap', reason: 'unknown' }, ...entries.slice(11)] })
  history.sends.push({ user: 'amy', channel: 'one', text: 'gone', askedAt: 136, answeredAt: 144, status: 200, nodes: [0], cursor: id(14, 8), message: 'id-of-gone' })
  return { ...history, lossy: true }
}

it('allows, where a standby that lacked commits has taken over, that they are gone and that a gap says so', () => {
  expect(check(lossy())).toEqual([])
})

const lossyFalsehoods: Array<[what: string, how: (history: History) => void, found: RegExp]> = [
  ['that a reader of what is lost goes on without a gap', history => { told(history, 'all', 4).splice(1, 1) }, /comes behind what is lost, without a gap/],
  ['that a reader of what is lost stays there', history => { history.streams[0]!.connections.pop() }, /was not told of a gap/],
  ['that a stream is told otherwise under the same id', history => { told(history, 'all', 4)[2]!.text = 'a4 as it was' }, /a4 as it was is in the log/],
  ['that a reader of nothing lost misses something', history => { drop(told(history, 'one'), 'a3') }, /^one.* comes without .*a3/]
]

it.each(lossyFalsehoods)('finds, where commits are lost, %s', (_what, how, found) => {
  const history = lossy()
  how(history)
  expect(check(history).join('\n')).toMatch(new RegExp(found, 'm'))
})
