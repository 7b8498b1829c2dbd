/** Entries of access control lists as text: `send_to_channel:participant(football-fans:Active)`. */
import type { ParticipationStatus } from '../../schemas/participation.ts'
import { Refusal, refuseWith } from '../errors.ts'
import { privilegesOf, privilegeTable, type AccessLists, type EntityKind, type Entry, type Privilege, type Selector } from './access.ts'

/** In all, of an entity. */
export const MOST_ENTRIES = 64

/** What the entries belong to. */
export type Entity = { kind: 'application' } | { kind: 'channel' | 'message', channelId: string }

/** As callers send lists: by name, or all in one string, `+entry,-entry`. */
export type AppliedAcls = string | { plusAppliedAcls?: string[] | null, minusAppliedAcls?: string[] | null } | null

const statuses: readonly string[] = ['Active', 'ReadOnly', 'Disabled'] satisfies ParticipationStatus[]

/**
 * Throws `invalidAttribute`, which names the entry, and where it stands. None at all: undefined.
 * @param field as in `body/appliedAcls`
 */
export function parseLists (given: AppliedAcls | undefined, entity: Entity, field = 'body/appliedAcls'): AccessLists | undefined {
  try {
    const [plus, minus] = textsOf(given ?? {}, entity).map(texts => distinct(texts.map(text => parseEntry(text, entity)))) as [Entry[], Entry[]]
    return listsOf(plus, minus)
  } catch (err) {
    throw err instanceof Refusal ? new Refusal({ ...err.toPlain(), diagnostics: { field, ...err.diagnostics } }) : err
  }
}

function listsOf (plus: Entry[], minus: Entry[]): AccessLists | undefined {
  mustBeFew(plus.length + minus.length)
  return plus.length + minus.length === 0 ? undefined : { plus, minus }
}

/** A change of an entity's own lists: others in their place, or some more and some less. */
export type AclPatch =
  | { patchType: 'Set', setAcls: AppliedAcls }
  | { patchType: 'Diff', addAcls?: AppliedAcls, removeAcls?: AppliedAcls }

/** What a change makes of lists. What is added and removed at once is there afterwards. Throws `invalidAttribute`. */
export function patchedLists (lists: AccessLists | undefined, patch: AclPatch, entity: Entity): AccessLists | undefined {
  if (patch.patchType === 'Set') return parseLists(patch.setAcls, entity, 'body/setAcls')
  const [added, removed] = [parseLists(patch.addAcls, entity, 'body/addAcls'), parseLists(patch.removeAcls, entity, 'body/removeAcls')]
  const changed = (side: keyof AccessLists): Entry[] => {
    const gone = new Set((removed?.[side] ?? []).map(keyOf))
    return distinct([...(lists?.[side] ?? []).filter(entry => !gone.has(keyOf(entry))), ...added?.[side] ?? []])
  }
  return listsOf(changed('plus'), changed('minus'))
}

/** Whether two entities' lists hold the same entries, in whatever order. */
export function areSame (one: AccessLists | undefined, other: AccessLists | undefined): boolean {
  const keysOf = (lists: AccessLists | undefined) => JSON.stringify([lists?.plus ?? [], lists?.minus ?? []].map(entries => [...new Set(entries.map(keyOf))].sort()))
  return keysOf(one) === keysOf(other)
}

function textsOf (given: Exclude<AppliedAcls, null>, entity: Entity): [string[], string[]] {
  if (typeof given !== 'string') return [given.plusAppliedAcls ?? [], given.minusAppliedAcls ?? []]
  const [plus, minus]: [string[], string[]] = [[], []]
  for (const signed of given.split(',').map(text => text.trim()).filter(text => text !== '')) {
    if (signed.startsWith('+')) plus.push(signed.slice(1))
    else if (signed.startsWith('-')) minus.push(signed.slice(1))
    else throw malformed(signed, `in a string, each entry has its sign: +${exampleOf(entity)}`)
  }
  return [plus, minus]
}

export function mustBeFew (entries: number): void {
  if (entries > MOST_ENTRIES) {
    throw refuseWith('invalidAttribute', { diagnostics: { field: 'body', entries } }, `An entity has at most ${MOST_ENTRIES} entries of its own: ${entries} are too many`)
  }
}

export function parseEntry (text: string, entity: Entity): Entry {
  const [, name, selector, given] = /^([a-z_]+):([a-z_]+)\((.*)\)$/s.exec(text) ?? []
  if (name === undefined || selector === undefined || given === undefined) throw malformed(text, `an entry is like ${exampleOf(entity)}`)
  if (!isPrivilegeOf(name, entity.kind)) throw malformed(text, `the privileges of ${anEntity(entity.kind)} are ${privilegesOf(entity.kind).join(', ')}`)
  return { privilege: name, selector: parseSelector(text, selector, given, entity) }
}

function parseSelector (text: string, name: string, given: string, entity: Entity): Selector {
  if (name === 'any_user') {
    if (given !== '') throw malformed(text, 'any_user() has nothing between its brackets')
    return { kind: 'any-user' }
  }
  if (name === 'user') {
    if (given === '') throw malformed(text, 'user(…) names a user')
    return { kind: 'user', userId: given }
  }
  if (entity.kind === 'application') throw malformed(text, 'the selectors of the application are user(<userId>) and any_user()')
  const [channelId, status, ...more] = given.split(':')
  if (name !== 'participant' && name !== 'admin') {
    throw malformed(text, 'the selectors are user(<userId>), any_user(), participant(<channelId>), participant(<channelId>:<status>) and admin(<channelId>)')
  }
  if (channelId !== entity.channelId) throw malformed(text, `the channel is this one: ${name}(${entity.channelId})`)
  if (name === 'admin') {
    if (status !== undefined) throw malformed(text, 'admin(<channelId>) has no status')
    return { kind: 'admin' }
  }
  if (status === undefined) return { kind: 'participant' }
  if (more.length > 0 || !statuses.includes(status)) throw malformed(text, `the statuses are ${statuses.join(', ')}`)
  return { kind: 'participant', status: status as ParticipationStatus }
}

export function formatEntry ({ privilege, selector }: Entry, channelId: string): string {
  return `${privilege}:${formatSelector(selector, channelId)}`
}

function formatSelector (selector: Selector, channelId: string): string {
  switch (selector.kind) {
    case 'user': return `user(${selector.userId})`
    case 'any-user': return 'any_user()'
    case 'participant': return selector.status === undefined ? `participant(${channelId})` : `participant(${channelId}:${selector.status})`
    case 'admin': return `admin(${channelId})`
  }
}

function isPrivilegeOf (name: string, kind: EntityKind): name is Privilege {
  return Object.hasOwn(privilegeTable, name) && (privilegeTable[name as Privilege].of as readonly EntityKind[]).includes(kind)
}

const anEntity = (kind: EntityKind): string => kind === 'application' ? 'the application' : `a ${kind}`

function exampleOf (entity: Entity): string {
  if (entity.kind === 'application') return 'create_channel:user(alice)'
  return entity.kind === 'channel' ? `send_to_channel:participant(${entity.channelId}:Active)` : `read_message:admin(${entity.channelId})`
}

/** Of an entity, whose channel is always the same. */
const keyOf = (entry: Entry): string => formatEntry(entry, '')

/** Each once, in the order given. */
function distinct (entries: Entry[]): Entry[] {
  return [...new Map(entries.map(entry => [keyOf(entry), entry])).values()]
}

function malformed (entry: string, right: string): Refusal {
  return refuseWith('invalidAttribute', { diagnostics: { entry: entry.slice(0, 200) } }, `${JSON.stringify(entry.slice(0, 80))} is no entry of this list: ${right}`)
}
