/** Random programs of what several people do in several channels, with streams that come, are cut, and resume. */
import fc from 'fast-check'
import { groupTypes, SYSTEM, type Happening, type Listed, type Step } from '../relay/steps.ts'

export const users = ['amy', 'bob', 'cleo', 'dan']
/** The last is a DirectMessage, whenever it is made. */
export const channels = ['room', 'hall', 'pair']
const pair = channels.at(-1)!

/** Whoever sent the message that a line is about. */
export const SENDER = 'its sender'
/** As the subject of an event: whoever adds it. */
export const ONESELF = 'oneself'

/** A message, by how many were sent after it. */
type Nth = number

/** A line about messages; `channel` where it is not the one that they were sent to. */
type Saying =
  /** `again`: under the id of a message that there was before. */
  | { do: 'send', by: string, channel: string, as?: string | undefined, event?: Happening | undefined, again?: Nth | undefined }
  | { do: 'edit', by: string, nth: Nth, channel?: string | undefined }
  | { do: 'get message', by: string, nth: Nth }
  | { do: 'delete messages' | 'list message events', by: string, nths: Nth[], channel?: string | undefined }
  | { do: 'add message event', by: string, nths: Nth[], event: Happening, channel?: string | undefined }

/** What a program is made of. */
export type Line = Exclude<Step, { do: Saying['do'] }> | Saying
  /**
   * `what` is a channel, `me` or `all`. `from`: the log's head, where that reader's last such stream was cut, or what
   * was read last by a GET. `wait`: until it is live, before anything else happens.
   */
  | { do: 'subscribe', by: string, what: string, from: 'head' | 'cut' | 'read', wait: boolean }
  | { do: 'cut', nth: number }
  | { do: 'nothing' }

const user = fc.constantFrom(...users)
const channel = fc.constantFrom('room', 'room', 'room', 'hall', 'hall', 'hall', pair)
/** Mostly where there is something to decide. */
const group = fc.constantFrom(...groupTypes, 'private' as const, 'strict_private' as const, 'strict_private' as const)
const status = fc.constantFrom('Active' as const, 'ReadOnly' as const, 'Disabled' as const)
const admin = fc.boolean()
/** Mostly those who may. */
const anybody = fc.oneof({ weight: 2, arbitrary: fc.constant(SYSTEM) }, { weight: 3, arbitrary: user })
const systemMostly = fc.oneof({ weight: 5, arbitrary: fc.constant(SYSTEM) }, { weight: 1, arbitrary: user })
const usersMostly = fc.oneof({ weight: 1, arbitrary: fc.constant(SYSTEM) }, { weight: 4, arbitrary: user })
const senderMostly = fc.oneof({ weight: 4, arbitrary: fc.constant(SENDER) }, { weight: 1, arbitrary: fc.constant(SYSTEM) }, { weight: 2, arbitrary: user })

const nth = fc.nat(4)
const nths = fc.oneof({ weight: 2, arbitrary: nth.map(one => [one]) }, { weight: 1, arbitrary: fc.uniqueArray(nth, { minLength: 2, maxLength: 3 }) })
const seldom = <T>(arbitrary: fc.Arbitrary<T>, freq = 6) => fc.option(arbitrary, { nil: undefined, freq })
const happening: fc.Arbitrary<Happening> = fc.record({
  type: fc.constantFrom('mitter.mtet.ReadTime', 'seen-from-afar', 'io.mitter.types.timeline.CreationTime'),
  subject: fc.oneof({ weight: 3, arbitrary: fc.constant(ONESELF) }, { weight: 2, arbitrary: user })
})

const one = <Do extends string>(...names: Do[]) => fc.constantFrom(...names)
const listedOnly = fc.uniqueArray(fc.record({ user }), { maxLength: 2, selector: listed => listed.user })
const createByUser = fc.record({ do: one('create'), by: user, channel, group, listed: listedOnly })
  .map(step => ({ ...step, listed: step.listed.filter(({ user }) => user !== step.by) as Listed[] }))
const createBySystem = fc.record({
  do: one('create'),
  by: fc.constant(SYSTEM),
  channel,
  group,
  listed: fc.uniqueArray(fc.record({ user, status, admin }), { selector: listed => listed.user }) as fc.Arbitrary<Listed[]>
})
const createPair = fc.record({ do: one('create'), by: usersMostly, two: fc.shuffledSubarray(users, { minLength: 2, maxLength: 2 }) })
  .map(({ by, two }) => ({ do: 'create' as const, by: by === SYSTEM ? by : two[0]!, channel: pair, group: 'private' as const, direct: true, listed: two.map(user => ({ user })) }))

type Create = Extract<Step, { do: 'create' }>
const create: fc.Arbitrary<Create> = fc.tuple(
  fc.oneof({ weight: 3, arbitrary: createByUser }, { weight: 1, arbitrary: createBySystem }), seldom(happening, 3), createPair
).map(([step, event, direct]) => step.channel === pair ? direct : { ...step, ...(event === undefined ? {} : { event }) })

const line: fc.Arbitrary<Line> = fc.oneof(
  { withCrossShrink: true },
  { weight: 1, arbitrary: fc.record({ do: one('nothing') }) },
  { weight: 4, arbitrary: create },
  { weight: 12, arbitrary: fc.record({ do: one('join'), by: user, channel }) },
  { weight: 4, arbitrary: fc.record({ do: one('add'), by: systemMostly, user, channel, status }) },
  { weight: 7, arbitrary: fc.record({ do: one('leave'), by: user, channel }) },
  { weight: 3, arbitrary: fc.record({ do: one('remove'), by: systemMostly, user, channel }) },
  { weight: 14, arbitrary: fc.record({ do: one('accept', 'accept', 'reject'), by: anybody, user, channel }) },
  { weight: 14, arbitrary: fc.record({ do: one('mute', 'unmute'), by: anybody, user, channel }) },
  { weight: 6, arbitrary: fc.record({ do: one('set status'), by: systemMostly, user, channel, status }) },
  { weight: 5, arbitrary: fc.record({ do: one('set roles'), by: usersMostly, user, channel, admin }) },
  { weight: 22, arbitrary: fc.record({ do: one('send'), by: usersMostly, channel, as: seldom(user), event: seldom(happening), again: seldom(nth, 20) }) },
  { weight: 8, arbitrary: fc.record({ do: one('edit'), by: senderMostly, nth, channel: seldom(channel, 10) }) },
  { weight: 6, arbitrary: fc.record({ do: one('delete messages'), by: senderMostly, nths, channel: seldom(channel, 10) }) },
  { weight: 2, arbitrary: fc.record({ do: one('truncate'), by: systemMostly, channel }) },
  { weight: 3, arbitrary: fc.record({ do: one('add channel event'), by: anybody, channel, event: happening }) },
  { weight: 5, arbitrary: fc.record({ do: one('add message event'), by: anybody, nths, event: happening, channel: seldom(channel, 10) }) },
  { weight: 2, arbitrary: fc.record({ do: one('delete'), by: systemMostly, channel }) },
  { weight: 2, arbitrary: fc.record({ do: one('delete user'), by: systemMostly, user }) },
  { weight: 1, arbitrary: fc.record({ do: one('create user'), by: systemMostly, user }) },
  { weight: 5, arbitrary: fc.record({ do: one('get channel', 'list participants', 'list messages', 'list channel events'), by: usersMostly, channel }) },
  { weight: 2, arbitrary: fc.record({ do: one('list message events'), by: usersMostly, nths }) },
  { weight: 5, arbitrary: fc.record({ do: one('get message'), by: senderMostly, nth }) },
  { weight: 10, arbitrary: fc.record({ do: one('subscribe'), by: user, what: fc.constantFrom('me', ...channels), from: one('head', 'cut', 'cut', 'read'), wait: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: one('subscribe'), by: fc.constant(SYSTEM), what: fc.constantFrom('all', ...channels), from: one('head', 'cut', 'read'), wait: fc.boolean() }) },
  { weight: 7, arbitrary: fc.record({ do: one('cut'), nth: fc.nat(3) }) }
)

/** Somebody goes and comes again: what must survive that is rarely met by chance. */
const comeAgain: fc.Arbitrary<Line[]> = fc.record({ user, channel, held: one('mute', 'set status', 'nothing'), status, turned: one('accept', 'reject'), by: anybody }).map(
  ({ user, channel, held, status, turned, by }) => [
    held === 'set status' ? { do: held, by: SYSTEM, user, channel, status } : held === 'mute' ? { do: held, by: SYSTEM, user, channel } : { do: held },
    { do: 'leave', by: user, channel },
    { do: 'join', by: user, channel },
    { do: turned, by, user, channel }
  ])

/** Somebody says something, and is gone; so may be what it said. */
const sayAndGo: fc.Arbitrary<Line[]> = fc.record({ user, channel, event: seldom(happening, 1), go: one('leave', 'delete user'), then: one('get message', 'edit', 'nothing'), by: senderMostly }).map(
  ({ user, channel, event, go, then, by }) => [
    { do: 'send', by: user, channel, event },
    go === 'leave' ? { do: go, by: user, channel } : { do: go, by: SYSTEM, user },
    then === 'nothing' ? { do: then } : { do: then, by: then === 'edit' ? SYSTEM : by, nth: 0 }
  ])

const lines = fc.oneof({ withCrossShrink: true },
  { weight: 18, arbitrary: line.map(one => [one]) }, { weight: 2, arbitrary: comeAgain }, { weight: 1, arbitrary: sayAndGo })

const LINES = 32

/** So many lines: two channels are made first, so that what follows happens in them. Shrinking leaves lines out by doing nothing. */
export const programs: fc.Arbitrary<Line[]> = fc.tuple(
  fc.tuple(create, create), fc.array(lines, { minLength: LINES - 2, maxLength: LINES - 2, size: 'max' })
).map(([[first, second], rest]) => [{ ...first, channel: 'room', direct: false }, { ...second, channel: 'hall', direct: false }, ...rest.flat()].slice(0, LINES))

/** The step that a line is, now that these messages were sent, oldest first. What it says is left to who runs it. */
export function stepOf (line: Exclude<Line, { do: 'subscribe' | 'cut' | 'nothing' }>, sent: Array<{ name: string, channel: string, sender: string }>): Step {
  const nthLast = (nth: Nth) => sent.at(-1 - nth) ?? { name: 'unheard-of', channel: 'room', sender: users[0]! }
  const found = 'nth' in line ? [nthLast(line.nth)] : 'nths' in line ? line.nths.map(nthLast) : []
  const by = line.by === SENDER ? found[0]!.sender : line.by
  const names = [...new Set(found.map(({ name }) => name))]
  const event = 'event' in line && line.event !== undefined ? { ...line.event, subject: line.event.subject === ONESELF ? by : line.event.subject } : undefined
  switch (line.do) {
    case 'send': {
      const { do: send, channel, as, again } = line
      const message = again === undefined ? `message${sent.length}` : nthLast(again).name
      return { do: send, by, channel, text: '', message, ...(as === undefined || by !== SYSTEM ? {} : { as }), ...(event && { event }) }
    }
    case 'edit': return { do: line.do, by, channel: line.channel ?? found[0]!.channel, message: names[0]!, text: '' }
    case 'get message': return { do: line.do, by, message: names[0]! }
    case 'delete messages':
    case 'list message events': return { do: line.do, by, channel: line.channel ?? found[0]!.channel, messages: names }
    case 'add message event': return { do: line.do, by, channel: line.channel ?? found[0]!.channel, messages: names, event: event! }
    case 'add channel event': return { ...line, event: event! }
    case 'create': return { ...line, ...(event && { event }) }
    default: return line
  }
}
