/** Random programs of what several people do in several channels that have access control lists, and messages that have. */
import fc from 'fast-check'
import { groupTypes, SYSTEM, type Happening, type Listed } from '../../relay/steps.ts'
import { ONESELF, type Subscribe } from '../../model/lines.ts'
import { useOfChannel, useOfMessage } from './grants.ts'
import { channelPrivileges, messagePrivileges } from './lists.ts'
import { channelChange, channelLists, messageChange, messageLists } from './list-programs.ts'
import { pair, SENDER, users, type Line } from './lines.ts'

const user = fc.constantFrom(...users)
const channel = fc.constantFrom('room', 'room', 'room', 'room', 'room', 'room', 'hall', 'hall', 'hall', pair)
const group = fc.constantFrom(...groupTypes, 'private' as const, 'strict_private' as const)
const status = fc.constantFrom('Active' as const, 'ReadOnly' as const, 'Disabled' as const)
const systemMostly = fc.oneof({ weight: 4, arbitrary: fc.constant(SYSTEM) }, { weight: 2, arbitrary: user })
const active = fc.constantFrom('an admin', 'one who is active', 'another who is active')
const anybody = fc.oneof({ weight: 1, arbitrary: fc.constant(SYSTEM) }, { weight: 3, arbitrary: user }, { weight: 3, arbitrary: active })
const senderMostly = fc.oneof({ weight: 3, arbitrary: fc.constant(SENDER) }, { weight: 1, arbitrary: fc.constant(SYSTEM) }, { weight: 3, arbitrary: user })
const nth = fc.constantFrom(0, 0, 0, 1, 1, 2, 3, 4)
const nths = fc.oneof({ weight: 3, arbitrary: nth.map(one => [one]) }, { weight: 1, arbitrary: fc.uniqueArray(nth, { minLength: 2, maxLength: 3 }) })
/** There in one case of so many. */
const seldom = <T>(arbitrary: fc.Arbitrary<T>, cases = 6) => fc.oneof({ weight: cases - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const happening: fc.Arbitrary<Happening> = fc.record({
  type: fc.constantFrom('mitter.mtet.ReadTime', 'mitter.mtet.ReadTime', 'seen-from-afar'),
  subject: fc.oneof({ weight: 6, arbitrary: fc.constant(ONESELF) }, { weight: 1, arbitrary: user })
})
const one = <Do extends string>(...names: Do[]) => fc.constantFrom(...names)

const createByUser = fc.record({ do: one('create'), by: user, channel, group, listed: fc.uniqueArray(fc.record({ user }), { minLength: 2, maxLength: 4, selector: listed => listed.user, size: 'max' }), lists: seldom(channelLists, 3) })
  .map(step => ({ ...step, listed: step.listed.filter(({ user }) => user !== step.by) as Listed[] }))
const createBySystem = fc.record({
  do: one('create'),
  by: fc.constant(SYSTEM),
  channel,
  group,
  listed: fc.uniqueArray(fc.record({ user, status: fc.oneof(fc.constant('Active' as const), status), admin: fc.boolean() }), { maxLength: 4, selector: listed => listed.user, size: 'max' }) as fc.Arbitrary<Listed[]>,
  lists: seldom(channelLists, 2)
})
const createPair = fc.record({ by: fc.constantFrom(SYSTEM, SYSTEM, 'one of them'), two: fc.shuffledSubarray(users, { minLength: 2, maxLength: 2 }), lists: seldom(channelLists, 2) })
  .map(({ by, two, lists }) => ({ do: 'create' as const, by: by === SYSTEM ? by : two[0]!, channel: pair, group: 'private' as const, direct: true, listed: two.map(user => ({ user })), lists }))

type Create = Extract<Line, { do: 'create' }>
const create: fc.Arbitrary<Create> = fc.tuple(fc.oneof(createByUser, createBySystem), createPair, seldom(happening, 5))
  .map(([step, direct, event]) => step.channel === pair ? direct : { ...step, ...(event === undefined ? {} : { event }) })

const subscribe: fc.Arbitrary<Subscribe> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: one('subscribe'), by: fc.oneof(user, active), what: fc.constantFrom('me', 'me', 'me', 'room', 'room', 'hall', pair), from: one('head', 'cut', 'read'), wait: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: one('subscribe'), by: fc.constant(SYSTEM), what: fc.constantFrom('all', 'room', 'hall'), from: one('head', 'cut', 'read'), wait: fc.boolean() }) }
)

/** Shrinks to doing nothing, and does not prefer that in the depth. */
const crossShrink = { withCrossShrink: true, depthSize: 'max' as const }

const patchChannel = fc.record({ do: one('patch channel'), by: systemMostly, channel, change: channelChange })
const patchMessage = fc.record({ do: one('patch message'), by: systemMostly, nth, change: messageChange })
const send = fc.record({ do: one('send'), by: anybody, channel, as: seldom(user, 3), event: seldom(happening, 12), lists: seldom(messageLists, 2) })

const line: fc.Arbitrary<Line> = fc.oneof(
  crossShrink,
  { weight: 1, arbitrary: fc.record({ do: one('nothing') }) },
  { weight: 3, arbitrary: create },
  { weight: 12, arbitrary: patchChannel },
  { weight: 12, arbitrary: patchMessage },
  { weight: 7, arbitrary: fc.record({ do: one('join'), by: user, channel }) },
  { weight: 4, arbitrary: fc.record({ do: one('add'), by: systemMostly, user, channel, status }) },
  { weight: 5, arbitrary: fc.record({ do: one('leave'), by: user, channel }) },
  { weight: 3, arbitrary: fc.record({ do: one('remove'), by: systemMostly, user, channel }) },
  { weight: 5, arbitrary: fc.record({ do: one('accept', 'accept', 'reject'), by: anybody, user: fc.oneof(user, fc.constant('one who waits')), channel }) },
  { weight: 4, arbitrary: fc.record({ do: one('mute', 'unmute'), by: anybody, user: fc.oneof(user, fc.constantFrom('one who is active', 'one who is muted')), channel }) },
  { weight: 8, arbitrary: fc.record({ do: one('set status'), by: fc.constant(SYSTEM), user: fc.oneof(user, active), channel, status }) },
  { weight: 7, arbitrary: fc.record({ do: one('set roles'), by: anybody, user: fc.oneof(user, active), channel, admin: fc.boolean() }) },
  { weight: 32, arbitrary: send },
  { weight: 10, arbitrary: fc.record({ do: one('edit'), by: senderMostly, nth }) },
  { weight: 8, arbitrary: fc.record({ do: one('delete messages'), by: senderMostly, nths }) },
  { weight: 2, arbitrary: fc.record({ do: one('truncate'), by: systemMostly, channel }) },
  { weight: 2, arbitrary: fc.record({ do: one('add channel event'), by: anybody, channel, event: happening }) },
  { weight: 9, arbitrary: fc.record({ do: one('add message event'), by: anybody, nths, event: happening }) },
  { weight: 2, arbitrary: fc.record({ do: one('delete'), by: systemMostly, channel }) },
  { weight: 1, arbitrary: fc.record({ do: one('delete user'), by: fc.constant(SYSTEM), user }) },
  { weight: 5, arbitrary: fc.record({ do: one('get channel', 'list participants', 'list messages', 'list channel events', 'get channel lists'), by: anybody, channel }) },
  { weight: 2, arbitrary: fc.record({ do: one('list message events'), by: anybody, nths }) },
  { weight: 4, arbitrary: fc.record({ do: one('get message', 'get message lists'), by: senderMostly, nth }) },
  { weight: 3, arbitrary: fc.record({ do: one('get access'), by: anybody, user, channel, privilege: fc.constantFrom(...channelPrivileges) }) },
  { weight: 3, arbitrary: fc.record({ do: one('get access'), by: anybody, user, channel, privilege: fc.constantFrom(...messagePrivileges), nth }) },
  { weight: 10, arbitrary: subscribe },
  { weight: 7, arbitrary: fc.record({ do: one('cut'), nth: fc.constantFrom(0, 0, 1, 2) }) }
)

/** A stream is cut, something happens, and it goes on. */
const cutAndResume: fc.Arbitrary<Line[]> = fc.tuple(subscribe, line, fc.array(fc.oneof(line, patchChannel, patchMessage, send), { minLength: 1, maxLength: 4 }), fc.boolean()).map(
  ([first, meanwhile, missed, wait]) => [{ ...first, from: 'head' }, meanwhile, { do: 'cut', nth: 0 }, ...missed, { ...first, from: 'cut', wait }])

/** Something is said while a right is there, and while it is not; somebody may come or go in between. */
const changeAndSpeak: fc.Arbitrary<Line[]> = fc.tuple(channel, send, patchChannel, line, fc.boolean()).map(([channel, said, changed, meanwhile, back]) => [
  { ...said, by: SYSTEM, channel }, { ...changed, by: SYSTEM, channel }, { ...said, by: SYSTEM, channel }, meanwhile,
  ...(back ? [{ do: 'patch channel' as const, by: SYSTEM, channel, change: 'empty' as const }, { ...said, by: SYSTEM, channel }] : [])
])

/** A message is hidden from some, shown to others, and something becomes of it. */
const sayAndHide: fc.Arbitrary<Line[]> = fc.tuple(send, patchMessage, line, one('edit', 'delete messages', 'add message event', 'nothing'), happening).map(([said, changed, meanwhile, then, event]) => [
  { ...said, by: SYSTEM, as: undefined }, meanwhile, { ...changed, by: SYSTEM, nth: 0 },
  then === 'nothing' ? { do: then } : then === 'edit' ? { do: then, by: SYSTEM, nth: 0 } : then === 'delete messages' ? { do: then, by: SYSTEM, nths: [0] } : { do: then, by: SYSTEM, nths: [0], event: { ...event, subject: ONESELF } }
])

/** A message names somebody, who listens from before or after it, and says that it is read; then all messages go, or their channel does. */
const nameAndEnd: fc.Arbitrary<Line[]> = fc.tuple(user, channel, fc.boolean(), line, one('truncate', 'delete')).map(([who, channel, late, meanwhile, end]) => {
  const told: Line[] = [
    { do: 'send', by: SYSTEM, channel, lists: { plus: [{ privilege: 'read_message', who }], minus: [] } },
    { do: 'subscribe', by: who, what: 'me', from: 'head', wait: true }
  ]
  const seen: Line = { do: 'add message event', by: who, nths: [0], event: { type: 'mitter.mtet.ReadTime', subject: ONESELF } }
  return [...(late ? told : told.reverse()), seen, meanwhile, { do: end, by: SYSTEM, channel }]
})

/** Somebody comes, and is let in, or not. */
const comeIn: fc.Arbitrary<Line[]> = fc.tuple(user, channel, line, anybody, one('accept', 'reject', 'nothing')).map(([user, channel, meanwhile, by, turned]) => [
  { do: 'join', by: user, channel }, meanwhile, turned === 'nothing' ? { do: turned } : { do: turned, by, user: 'one who waits', channel }
])

const lines = fc.oneof(crossShrink,
  { weight: 40, arbitrary: line.map(one => [one]) }, { weight: 3, arbitrary: cutAndResume }, { weight: 2, arbitrary: changeAndSpeak }, { weight: 2, arbitrary: sayAndHide },
  { weight: 2, arbitrary: nameAndEnd }, { weight: 3, arbitrary: comeIn }, { weight: 4, arbitrary: useOfChannel }, { weight: 2, arbitrary: useOfMessage })

const LINES = 30

/** So many lines: channels are made first, so that what follows happens in them. Shrinking leaves lines out by doing nothing. */
export const programs: fc.Arbitrary<Line[]> = fc.tuple(
  fc.tuple(create, create, fc.option(createPair, { nil: { do: 'nothing' as const }, freq: 4 })),
  fc.array(lines, { minLength: LINES - 3, maxLength: LINES - 3, size: 'max' })
).map(([[first, second, third], rest]) =>
  [{ ...first, channel: 'room', direct: false }, { ...second, channel: 'hall', direct: false }, third, ...rest.flat()].slice(0, LINES))
