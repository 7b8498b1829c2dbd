/** Access control lists as they go over the wire. */
import type { AppliedAcls } from '../../../../schemas/access.ts'
import type { AccessLists, Entry } from '../../../rules/access.ts'
import { formatEntry } from '../../../rules/access-entries.ts'
import { DELETED_USER } from './message.ts'

/** @param gone users who were deleted since */
export function appliedAcls (lists: AccessLists | undefined, channelId: string, gone: string[]): AppliedAcls {
  const show = (entries: readonly Entry[]) => [...new Set(entries.map(entry => formatEntry(withoutUser(entry, gone), channelId)))]
  return { plusAppliedAcls: show(lists?.plus ?? []), minusAppliedAcls: show(lists?.minus ?? []) }
}

/** Lists in which nobody is named who is gone: what they said of them, nobody can be. */
export function withoutGone ({ plus, minus }: AccessLists, gone: string[]): AccessLists {
  return gone.length === 0 ? { plus, minus } : { plus: plus.map(entry => withoutUser(entry, gone)), minus: minus.map(entry => withoutUser(entry, gone)) }
}

function withoutUser (entry: Entry, gone: string[]): Entry {
  const { selector } = entry
  return selector.kind === 'user' && gone.includes(selector.userId) ? { ...entry, selector: { kind: 'user', userId: DELETED_USER } } : entry
}

/** Lists that were rendered before somebody was deleted. */
export function nameGoneIn ({ plusAppliedAcls, minusAppliedAcls }: AppliedAcls, gone: string[]): AppliedAcls {
  const named = new Map(gone.map(userId => [`user(${userId})`, `user(${DELETED_USER})`]))
  const rename = (entries: string[]) => entries.map(entry => {
    const selector = entry.slice(entry.indexOf(':') + 1)
    const instead = named.get(selector)
    return instead === undefined ? entry : entry.slice(0, -selector.length) + instead
  })
  return { plusAppliedAcls: rename(plusAppliedAcls), minusAppliedAcls: rename(minusAppliedAcls) }
}
