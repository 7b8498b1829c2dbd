/** Random programs of steps by several users in several channels, with streams that come, go and resume. */
import fc from 'fast-check'
import { groupTypes, SYSTEM, type Step } from './steps.ts'

export const users = ['amy', 'bob', 'cleo', 'dan']
export const channels = ['room', 'hall']

/** What a program is made of. `what` is a channel, `me` or `all`; `resume` goes on where that reader's last such stream was cut. */
export type Line = Step
  | { do: 'subscribe', by: string, what: string, resume: boolean }
  | { do: 'cut', nth: number }
  | { do: 'nothing' }

const user = fc.constantFrom(...users)
const channel = fc.constantFrom(...channels)
/** Mostly where there is something to decide. */
const group = fc.constantFrom(...groupTypes, 'private' as const, 'strict_private' as const, 'strict_private' as const)
const status = fc.constantFrom('Active' as const, 'ReadOnly' as const, 'Disabled' as const)
const admin = fc.boolean()
/** Mostly those who may. */
const anybody = fc.oneof({ weight: 2, arbitrary: fc.constant(SYSTEM) }, { weight: 3, arbitrary: user })
const systemMostly = fc.oneof({ weight: 5, arbitrary: fc.constant(SYSTEM) }, { weight: 1, arbitrary: user })
const usersMostly = fc.oneof({ weight: 1, arbitrary: fc.constant(SYSTEM) }, { weight: 4, arbitrary: user })

const one = <Do extends string>(...names: Do[]) => fc.constantFrom(...names)
const createByUser = fc.record({
  do: one('create'), by: user, channel, group, listed: fc.uniqueArray(fc.record({ user }), { maxLength: 2, selector: listed => listed.user })
}).map(step => ({ ...step, listed: step.listed.filter(({ user }) => user !== step.by) }))
const createBySystem = fc.record({
  do: one('create'), by: fc.constant(SYSTEM), channel, group, listed: fc.uniqueArray(fc.record({ user, status, admin }), { selector: listed => listed.user })
})
const create = fc.oneof({ weight: 3, arbitrary: createByUser }, { weight: 1, arbitrary: createBySystem })

const line: fc.Arbitrary<Line> = fc.oneof(
  { withCrossShrink: true },
  { weight: 1, arbitrary: fc.record({ do: one('nothing') }) },
  { weight: 4, arbitrary: create },
  { weight: 16, arbitrary: fc.record({ do: one('join'), by: user, channel }) },
  { weight: 4, arbitrary: fc.record({ do: one('add'), by: systemMostly, user, channel, status }) },
  { weight: 8, arbitrary: fc.record({ do: one('leave'), by: user, channel }) },
  { weight: 3, arbitrary: fc.record({ do: one('remove'), by: systemMostly, user, channel }) },
  { weight: 18, arbitrary: fc.record({ do: one('accept', 'accept', 'reject'), by: anybody, user, channel }) },
  { weight: 24, arbitrary: fc.record({ do: one('mute', 'unmute'), by: anybody, user, channel }) },
  { weight: 6, arbitrary: fc.record({ do: one('set status'), by: systemMostly, user, channel, status }) },
  { weight: 6, arbitrary: fc.record({ do: one('set roles'), by: usersMostly, user, channel, admin }) },
  { weight: 16, arbitrary: fc.record({ do: one('send'), by: usersMostly, channel, text: fc.constant('') }) },
  { weight: 2, arbitrary: fc.record({ do: one('delete'), by: systemMostly, channel }) },
  { weight: 2, arbitrary: fc.record({ do: one('get channel', 'list participants', 'list messages'), by: usersMostly, channel }) },
  { weight: 12, arbitrary: fc.record({ do: one('subscribe'), by: user, what: fc.constantFrom('me', ...channels), resume: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: one('subscribe'), by: fc.constant(SYSTEM), what: fc.constant('all'), resume: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ do: one('cut'), nth: fc.nat(3) }) }
)

/** Somebody goes and comes again: what must survive that is rarely met by chance. */
const comeAgain: fc.Arbitrary<Line[]> = fc.record({ user, channel, held: one('mute', 'set status', 'nothing'), status, turned: one('accept', 'reject'), by: anybody }).map(
  ({ user, channel, held, status, turned, by }) => [
    held === 'set status' ? { do: held, by: SYSTEM, user, channel, status } : held === 'mute' ? { do: held, by: SYSTEM, user, channel } : { do: held },
    { do: 'leave', by: user, channel },
    { do: 'join', by: user, channel },
    { do: turned, by, user, channel }
  ])

const lines = fc.oneof({ withCrossShrink: true }, { weight: 9, arbitrary: line.map(one => [one]) }, { weight: 1, arbitrary: comeAgain })

/** 30 lines: both channels are made first, so that what follows happens in them. Shrinking leaves lines out by doing nothing. */
export const programs: fc.Arbitrary<Line[]> = fc.tuple(
  create.map(step => ({ ...step, channel: channels[0]! })),
  create.map(step => ({ ...step, channel: channels[1]! })),
  fc.array(lines, { minLength: 28, maxLength: 28, size: 'max' })
).map(([first, second, rest]) => [first, second, ...rest.flat()].slice(0, 30))
