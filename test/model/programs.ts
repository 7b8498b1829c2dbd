/** Random programs of what several people do in several channels, with streams that come, are cut, and resume. */
import fc from 'fast-check'
import { groupTypes, SYSTEM, type Happening, type Listed, type Step } from '../relay/steps.ts'
import { ONESELF, pair, SENDER, users, type Line, type Subscribe } from './lines.ts'

const user = fc.constantFrom(...users)
const channel = fc.constantFrom('room', 'room', 'room', 'room', 'hall', 'hall', 'hall', pair)
/** Mostly where there is something to decide. */
const group = fc.constantFrom(...groupTypes, 'private' as const, 'strict_private' as const, 'strict_private' as const)
const status = fc.constantFrom('Active' as const, 'ReadOnly' as const, 'Disabled' as const)
const admin = fc.boolean()
/** Mostly those who may. */
const anybody = fc.oneof({ weight: 2, arbitrary: fc.constant(SYSTEM) }, { weight: 3, arbitrary: user })
const systemMostly = fc.oneof({ weight: 5, arbitrary: fc.constant(SYSTEM) }, { weight: 1, arbitrary: user })
const usersMostly = fc.oneof({ weight: 1, arbitrary: fc.constant(SYSTEM) }, { weight: 4, arbitrary: user })
const active = fc.constantFrom('an admin', 'one who is active', 'another who is active')
const activeMostly = fc.oneof({ weight: 1, arbitrary: fc.constant(SYSTEM) }, { weight: 3, arbitrary: user }, { weight: 6, arbitrary: active })
const senderMostly = fc.oneof({ weight: 4, arbitrary: fc.constant(SENDER) }, { weight: 1, arbitrary: fc.constant(SYSTEM) }, { weight: 2, arbitrary: user })

const nth = fc.constantFrom(0, 0, 0, 1, 1, 2, 3, 4)
const nths = fc.oneof({ weight: 2, arbitrary: nth.map(one => [one]) }, { weight: 1, arbitrary: fc.uniqueArray(nth, { minLength: 2, maxLength: 3 }) })
/** There in one case of so many. */
const seldom = <T>(arbitrary: fc.Arbitrary<T>, cases = 6) =>
  fc.oneof({ weight: cases - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const happening: fc.Arbitrary<Happening> = fc.record({
  type: fc.constantFrom('mitter.mtet.ReadTime', 'seen-from-afar', 'io.mitter.types.timeline.CreationTime'),
  subject: fc.oneof({ weight: 3, arbitrary: fc.constant(ONESELF) }, { weight: 2, arbitrary: user })
})

const one = <Do extends string>(...names: Do[]) => fc.constantFrom(...names)
const listedOnly = fc.uniqueArray(fc.record({ user }), { minLength: 1, maxLength: 4, selector: listed => listed.user, size: 'max' })
const createByUser = fc.record({ do: one('create'), by: user, channel, group, listed: listedOnly })
  .map(step => ({ ...step, listed: step.listed.filter(({ user }) => user !== step.by) as Listed[] }))
const createBySystem = fc.record({
  do: one('create'),
  by: fc.constant(SYSTEM),
  channel,
  group,
  listed: fc.uniqueArray(fc.record({ user, status: fc.oneof(fc.constant('Active' as const), status), admin }), { maxLength: 4, selector: listed => listed.user, size: 'max' }) as fc.Arbitrary<Listed[]>
})
const createPair = fc.record({ do: one('create'), by: usersMostly, two: fc.shuffledSubarray(users, { minLength: 2, maxLength: 2 }) })
  .map(({ by, two }) => ({ do: 'create' as const, by: by === SYSTEM ? by : two[0]!, channel: pair, group: 'private' as const, direct: true, listed: two.map(user => ({ user })) }))

type Create = Extract<Step, { do: 'create' }>
const create: fc.Arbitrary<Create> = fc.tuple(
  fc.oneof({ weight: 3, arbitrary: createByUser }, { weight: 1, arbitrary: createBySystem }), seldom(happening, 3), createPair
).map(([step, event, direct]) => step.channel === pair ? direct : { ...step, ...(event === undefined ? {} : { event }) })

const subscribe: fc.Arbitrary<Subscribe> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: one('subscribe'), by: fc.oneof(user, active), what: fc.constantFrom('me', 'me', 'room', 'hall', pair), from: one('head', 'cut', 'read'), wait: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: one('subscribe'), by: fc.constant(SYSTEM), what: fc.constantFrom('all', 'room', 'hall'), from: one('head', 'cut', 'read'), wait: fc.boolean() }) }
)

/** Shrinks to doing nothing, and does not prefer that in the depth. */
const crossShrink = { withCrossShrink: true, depthSize: 'max' as const }

const line: fc.Arbitrary<Line> = fc.oneof(
  crossShrink,
  { weight: 1, arbitrary: fc.record({ do: one('nothing') }) },
  { weight: 4, arbitrary: create },
  { weight: 10, arbitrary: fc.record({ do: one('join'), by: user, channel }) },
  { weight: 5, arbitrary: fc.record({ do: one('add'), by: systemMostly, user, channel, status }) },
  { weight: 6, arbitrary: fc.record({ do: one('leave'), by: user, channel }) },
  { weight: 3, arbitrary: fc.record({ do: one('remove'), by: systemMostly, user, channel }) },
  { weight: 12, arbitrary: fc.record({ do: one('accept', 'accept', 'reject'), by: fc.oneof(anybody, active), user: fc.oneof(user, fc.constant('one who waits')), channel }) },
  { weight: 12, arbitrary: fc.record({ do: one('mute', 'unmute'), by: fc.oneof(anybody, fc.constant('an admin')), user: fc.oneof(user, fc.constantFrom('one who is active', 'one who is muted')), channel }) },
  { weight: 6, arbitrary: fc.record({ do: one('set status'), by: systemMostly, user: fc.oneof(user, active), channel, status }) },
  { weight: 5, arbitrary: fc.record({ do: one('set roles'), by: fc.oneof(usersMostly, fc.constant('an admin')), user: fc.oneof(user, active), channel, admin }) },
  { weight: 32, arbitrary: fc.record({ do: one('send'), by: activeMostly, channel, as: seldom(user), event: seldom(happening), again: seldom(nth, 20) }) },
  { weight: 14, arbitrary: fc.record({ do: one('edit'), by: senderMostly, nth, channel: seldom(channel, 10) }) },
  { weight: 9, arbitrary: fc.record({ do: one('delete messages'), by: senderMostly, nths, channel: seldom(channel, 10) }) },
  { weight: 2, arbitrary: fc.record({ do: one('truncate'), by: systemMostly, channel }) },
  { weight: 5, arbitrary: fc.record({ do: one('add channel event'), by: activeMostly, channel, event: happening }) },
  { weight: 9, arbitrary: fc.record({ do: one('add message event'), by: activeMostly, nths, event: happening, channel: seldom(channel, 10) }) },
  { weight: 2, arbitrary: fc.record({ do: one('delete'), by: systemMostly, channel }) },
  { weight: 2, arbitrary: fc.record({ do: one('delete user'), by: systemMostly, user }) },
  { weight: 1, arbitrary: fc.record({ do: one('create user'), by: systemMostly, user }) },
  { weight: 5, arbitrary: fc.record({ do: one('get channel', 'list participants', 'list messages', 'list channel events'), by: activeMostly, channel }) },
  { weight: 2, arbitrary: fc.record({ do: one('list message events'), by: activeMostly, nths }) },
  { weight: 5, arbitrary: fc.record({ do: one('get message'), by: senderMostly, nth }) },
  { weight: 10, arbitrary: subscribe },
  { weight: 7, arbitrary: fc.record({ do: one('cut'), nth: fc.constantFrom(0, 0, 1, 2) }) }
)

/** Somebody goes and comes again: what must survive that is rarely met by chance. */
const comeAgain: fc.Arbitrary<Line[]> = fc.record({ user, channel, held: one('mute', 'set status', 'nothing'), status, turned: one('accept', 'reject'), by: anybody }).map(
  ({ user, channel, held, status, turned, by }) => [
    held === 'set status' ? { do: held, by: SYSTEM, user, channel, status } : held === 'mute' ? { do: held, by: SYSTEM, user, channel } : { do: held },
    { do: 'leave', by: user, channel },
    { do: 'join', by: user, channel },
    { do: turned, by, user, channel }
  ])

/** Somebody is muted, and may speak again, or speaks all the same. */
const muteAndSpeak: fc.Arbitrary<Line[]> = fc.record({ channel, meanwhile: line, end: fc.boolean(), by: fc.constantFrom(SYSTEM, 'an admin') }).map(
  ({ channel, meanwhile, end, by }) => [
    { do: 'mute', by, user: 'another who is active', channel },
    meanwhile,
    ...(end ? [{ do: 'unmute' as const, by, user: 'one who is muted', channel }] : []),
    { do: 'send', by: 'one who is muted', channel }
  ])

/** Somebody says something, and is gone; so may be what it said. */
const sayAndGo: fc.Arbitrary<Line[]> = fc.record({ user, channel, event: seldom(happening, 2), go: one('leave', 'delete user'), then: one('get message', 'edit', 'nothing'), by: senderMostly }).map(
  ({ user, channel, event, go, then, by }) => [
    { do: 'add', by: SYSTEM, user, channel, status: 'Active' },
    { do: 'send', by: user, channel, event },
    go === 'leave' ? { do: go, by: user, channel } : { do: go, by: SYSTEM, user },
    then === 'nothing' ? { do: then } : { do: then, by: then === 'edit' ? SYSTEM : by, nth: 0 }
  ])

/** A stream is cut, something happens, and it goes on. */
const cutAndResume: fc.Arbitrary<Line[]> = fc.tuple(subscribe, line, fc.array(line, { minLength: 1, maxLength: 4 }), fc.boolean()).map(
  ([first, meanwhile, missed, wait]) => [{ ...first, from: 'head' }, meanwhile, { do: 'cut', nth: 0 }, ...missed, { ...first, from: 'cut', wait }])

const lines = fc.oneof(crossShrink,
  { weight: 40, arbitrary: line.map(one => [one]) }, { weight: 3, arbitrary: cutAndResume }, { weight: 2, arbitrary: comeAgain }, { weight: 2, arbitrary: muteAndSpeak }, { weight: 2, arbitrary: sayAndGo })

const LINES = 36

/** So many lines: channels are made first, so that what follows happens in them. Shrinking leaves lines out by doing nothing. */
export const programs: fc.Arbitrary<Line[]> = fc.tuple(
  fc.tuple(create, create, fc.option(createPair, { nil: { do: 'nothing' as const }, freq: 2 })),
  fc.array(lines, { minLength: LINES - 3, maxLength: LINES - 3, size: 'max' })
).map(([[first, second, third], rest]) =>
  [{ ...first, channel: 'room', direct: false }, { ...second, channel: 'hall', direct: false }, third, ...rest.flat()].slice(0, LINES))
