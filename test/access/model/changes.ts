/** Lists of channels and messages are changed. Answers are status and reason; what changes nothing is no entry. */
import { log } from '../../model/state.ts'
import { DELETED, SYSTEM } from '../../relay/steps.ts'
import { areSame, namesIn, newIn, patched, type Entry, type Lists } from './lists.ts'
import { mayNotName } from './messages.ts'
import { faults, reads, refusal, refusalBy, type Expected } from './refusals.ts'
import { allows, messageVerdictOf } from './rights.ts'
import { listedAt, listsAt, thereIs, whoIn, type Channel, type Message, type State } from './state.ts'
import type { StepOf } from './steps.ts'

export function patchChannel (state: State, channel: Channel, { by, patch }: StepOf<'patch channel'>): Expected {
  const [before, refused] = [livingListsOf(state, channel), refusal(state, channel, 'modify_acl', by)]
  if (refused !== undefined) return refused
  const lists = patched(before, patch)
  const { plus, minus } = newIn(lists, before)
  const added = [...plus, ...minus]
  const wrong = faults(
    namesIn(added).some(user => state.deleted.has(user)) ? '404 ?' : undefined,
    by !== SYSTEM && added.some(({ privilege }) => privilege === 'send_as_other_to_channel') ? '403 ?' : undefined)
  if (wrong !== undefined) return wrong
  if (areSame(before, lists)) return '204'
  channel.listings.push({ at: state.history.length, lists })
  log(state, channel, 'channel-acls-changed')
  return '204'
}

/** What a change begins with: whoever is deleted stands there without a name. */
function livingListsOf ({ deleted }: State, of: Channel | Message): Lists {
  const { plus, minus } = listsAt(of)
  const living = (entries: readonly Entry[]) => entries.map(entry => deleted.has(entry.who) ? { ...entry, who: DELETED } : entry)
  return { plus: living(plus), minus: living(minus) }
}

export function patchMessage (state: State, { by, message: name, patch }: StepOf<'patch message'>): Expected {
  const message = thereIs(state.messages.get(name))
  if (message === undefined) return '404 ?'
  const { channel } = message
  const verdict = messageVerdictOf('modify_acl', listedAt(message), by === SYSTEM ? { user: by } : whoIn(state, channel, by), false)
  if (!allows(verdict)) return reads(state, message, by, true) ? refusalBy(verdict, 'modify_acl', '403 ?')! : '404 ?'
  const before = livingListsOf(state, message)
  const lists = patched(before, patch)
  const wrong = mayNotName(state, channel, by, newIn(lists, before))
  if (wrong !== undefined) return wrong
  if (areSame(before, lists)) return '204'
  message.listings.push({ at: state.history.length, lists })
  log(state, channel, 'message-updated', { message, said: message.said })
  return '204'
}
