/** How somebody is refused in a channel: by its lists, or by the defaults in relay.md's words. Absent: it may. */
import { SYSTEM } from '../../relay/steps.ts'
import { agrees, receiving, sending } from '../../relay/tables.ts'
import { standing } from '../../model/state.ts'
import type { Answer } from '../../relay/world.ts'
import type { ChannelPrivilege, Privilege } from './lists.ts'
import { allows, mayRead, verdictOf, type Verdict } from './rights.ts'
import { listedAt, listsAt, whoIn, type Channel, type Message, type State } from './state.ts'

/** An answer, or several where the law does not say which fault is told first: `403 muted or 404 ?`. */
export type Expected = string

const OR = ' or '
const MISSING = '403 missing '

/** Refused for whichever of these faults there are. */
export function faults (...found: Array<string | undefined>): Expected | undefined {
  const there = [...new Set(found.filter(fault => fault !== undefined))]
  return there.length === 0 ? undefined : there.join(OR)
}

export function agreesWith (expected: Expected, { said, status, body }: Answer): boolean {
  return expected.split(OR).some(one => one.startsWith(MISSING)
    ? status === 403 && body.reason === undefined && body.errorCode === 'missing_privilege' && String(body.diagnostics?.missingPrivileges) === one.slice(MISSING.length)
    : agrees(one, said))
}

/** @param byDefault how it is refused where the defaults are in force */
export function refusalBy (verdict: Verdict, privilege: Privilege, byDefault: string | undefined): string | undefined {
  if (allows(verdict)) return undefined
  return verdict === 'refused by default' ? byDefault : MISSING + privilege
}

export function refusal (state: State, channel: Channel, privilege: ChannelPrivilege, by: string, byDefault: string | undefined = '403 ?'): string | undefined {
  return refusalBy(verdictOf(privilege, listsAt(channel), by === SYSTEM ? { user: by } : whoIn(state, channel, by)), privilege, byDefault)
}

export const readingRefused = (state: State, channel: Channel, by: string): string | undefined =>
  refusal(state, channel, 'read_from_channel', by, receiving[standing(channel, by)])

export const sendingRefused = (state: State, channel: Channel, by: string): string | undefined =>
  refusal(state, channel, 'send_to_channel', by, sending[standing(channel, by)])

/** A message that one may not read is 404, where one may read the channel. */
export function notFound (state: State, channel: Channel, message: Message | undefined, by: string, byId: boolean): string | undefined {
  if (message !== undefined && reads(state, message, by, byId)) return undefined
  return readingRefused(state, channel, by) ?? '404 ?'
}

export const reads = (state: State, message: Message, by: string, byId: boolean): boolean =>
  by === SYSTEM || mayRead(listedAt(message), whoIn(state, message.channel, by), byId)
