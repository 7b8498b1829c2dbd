/** What `GET …/access` says, compared with what the model lets somebody do. */
import { expect } from 'vitest'
import { standing } from '../../model/state.ts'
import { SYSTEM } from '../../relay/steps.ts'
import type { World } from '../../relay/world.ts'
import { entryOf, type ChannelPrivilege, type MessagePrivilege } from './lists.ts'
import { allows, fits, messageVerdictOf, verdictOf, type Verdict, type Who } from './rights.ts'
import { listedAt, listsAt, messageIn, whoIn, type Channel, type State } from './state.ts'
import type { StepOf } from './steps.ts'

interface Explained {
  allowed: boolean
  rule: string
}

/** Nobody comes, or goes, where participants never change. */
const membership = ['join_channel', 'remove_self', 'add_participant_to_channel', 'remove_participant']

function explained (state: State, channel: Channel, { user, privilege, message }: StepOf<'get access'>): Explained {
  const who = user === SYSTEM ? { user } : whoIn(state, channel, user)
  if (message !== undefined) return ruled(messageVerdictOf(privilege as MessagePrivilege, listedAt(messageIn(state, channel, message)!), who, true))
  if (channel.direct && membership.includes(privilege)) return { allowed: false, rule: 'ruleset' }
  if (privilege === 'modify_channel_participation' && standing(channel, user) === 'admin') return { allowed: true, rule: 'group-type' }
  return ruled(verdictOf(privilege as ChannelPrivilege, listsAt(channel), who))
}

const ruled = (verdict: Verdict): Explained => ({ allowed: allows(verdict), rule: verdict === 'refused by default' ? 'default' : verdict })

export function compareAccess (world: World, state: State, step: StepOf<'get access'>, body: any): void {
  const channel = state.channels.get(step.channel)!
  const { allowed, rule } = explained(state, channel, step)
  const what = `${JSON.stringify(step)}: ${JSON.stringify(body)}`
  const { entry, status } = body.because
  expect(body.allowed, what).toBe(allowed)
  expect(body.because.rule, what).toBe(rule)
  expect(status, what).toBe(channel.members.get(step.user)?.status)
  const who: Who = whoIn(state, channel, step.user)
  if (entry !== undefined) expect(fits(entryOf(entry, step.channel, id => world.name(id)).who, who), what).toBe(true)
}
