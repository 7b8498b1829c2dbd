/** What streams are told of entries, and what their readers may from then on: of each by itself, whoever else there is. */
import type { AccessLists, Caller } from '../rules/access.ts'
import { Audience, readersNamedIn, readsChannel, standingOf, type StreamOf } from '../rules/audience.ts'
import type { Entry, Standing } from '../store/contract/log.ts'

/** Whose stream it is. */
export interface Reader {
  readonly of: 'application' | 'user' | 'channel'
  /** Absent where the application reads. */
  readonly userId?: string | undefined
}

/** What a stream's reader is in a channel, and what the channel's own lists are, as of the last entry that it was given. */
export interface Place {
  readonly standing: Caller['standing']
  readonly lists: AccessLists | undefined
  /** Whether it may read what is said there. */
  readonly reads: boolean
}

/** What is about a reader, it is told whatever it may; what a new channel began with, only where it may read that. */
export function ownForm (entry: Entry, userId: string, own: Standing): Entry {
  const { kind, channelLists, otherwise } = entry
  return kind !== 'channel' || otherwise === undefined || readsChannel(channelLists, { userId, standing: standingOf(own) }) ? entry : otherwise
}

/** What a subscriber is told of an entry that is not about its reader: the entry, what stands in its place, or nothing. */
export function toldTo ({ of, userId }: Reader, entry: Entry, readers: Readers, place: Place | undefined, isNamed: boolean): Entry | undefined {
  const { kind, access, channelLists, otherwise } = entry
  if (access !== undefined || kind === 'channel-acls-changed') {
    if (userId === undefined) return access === undefined && place === undefined ? undefined : entry
    const caller = { userId, standing: place?.standing }
    const stream = of as StreamOf
    if (access === undefined) {
      if (place === undefined) return undefined
      if (readers.after(channelLists).has(caller)) return entry
      return place.reads ? otherwise : undefined
    }
    if (readers.after(place?.lists).reaches(stream, caller)) return entry
    return access.before !== undefined && readers.before(place?.lists).reaches(stream, caller) ? otherwise : undefined
  }
  if (kind === 'channel-deleted' && (place !== undefined || isNamed)) return entry
  if (kind === 'messages-truncated' && isNamed) return entry
  return place?.reads === true ? entry : undefined
}

const placesWithoutLists = new Map<string, Place>()

/** Where a channel has no lists there are few different places, and many streams that have them. */
export function placeWith (standing: Caller['standing'], lists: AccessLists | undefined, reads: boolean): Place {
  if (lists !== undefined) return { standing, lists, reads }
  const key = `${standing?.status} ${standing?.admin} ${reads}`
  let place = placesWithoutLists.get(key)
  if (place === undefined) placesWithoutLists.set(key, place = { standing, lists, reads })
  return place
}

const NOBODY: ReadonlySet<string> = new Set()

/** Who may read what an entry is about, found once however many are asked about: whoever is in a channel knows the same lists of it. */
export class Readers {
  readonly #access: Entry['access']
  readonly #after = new Map<AccessLists | undefined, Audience>()
  readonly #before = new Map<AccessLists | undefined, Audience>()
  readonly #namedFromNow: ReadonlySet<string>
  /** Whom a message names, or has named up to this entry. */
  readonly named: ReadonlySet<string>

  constructor ({ access }: Pick<Entry, 'access'>) {
    this.#access = access
    this.#namedFromNow = access === undefined ? NOBODY : new Set(readersNamedIn(access.lists))
    this.named = access?.before === undefined ? this.#namedFromNow : new Set([...this.#namedFromNow, ...readersNamedIn(access.before.lists)])
  }

  namesFromNow (userId: string): boolean {
    return this.#namedFromNow.has(userId)
  }

  /** @param channelLists as the reader knows them */
  after (channelLists: AccessLists | undefined): Audience {
    return audienceIn(this.#after, this.#access?.lists, channelLists)
  }

  before (channelLists: AccessLists | undefined): Audience {
    return audienceIn(this.#before, this.#access?.before?.lists, channelLists)
  }
}

/** Most entries: they are for whoever reads the channel, and leave everybody's rights as they are. */
export function changesNobody ({ kind, standing, members, access }: Entry): boolean {
  return standing === undefined && members === undefined && access === undefined && kind !== 'user-deleted' &&
    kind !== 'channel-acls-changed' && kind !== 'channel-deleted' && kind !== 'messages-truncated'
}

const NO_READERS = new Readers({})

/** What lists decide; of other entries nobody asks. */
export const readersOf = (entry: Entry): Readers => entry.access === undefined && entry.kind !== 'channel-acls-changed' ? NO_READERS : new Readers(entry)

function audienceIn (known: Map<AccessLists | undefined, Audience>, lists: AccessLists | undefined, channelLists: AccessLists | undefined): Audience {
  let audience = known.get(channelLists)
  if (audience === undefined) known.set(channelLists, audience = new Audience(lists, channelLists))
  return audience
}

/** Whether an entry, of those that change somebody's rights, may have changed a reader's, or how what came before it is told. */
export function mayConcern ({ kind, channelKey, standing, members }: Entry, { of, userId, channelKey: own }: Reader & { channelKey?: number | undefined }): boolean {
  if (kind === 'user-deleted') return true // who is named nowhere from then on
  if (of === 'application' || (of === 'channel' && channelKey !== own)) return false
  if (userId === undefined) return kind === 'channel-deleted'
  if (standing !== undefined) return standing.userId === userId
  return members === undefined || members.some(member => member.userId === userId)
}

/** A user's standing from an entry on, if the entry is about the user. */
export function standingIn ({ standing, members }: Entry, userId: string | undefined): Standing | undefined {
  if (userId === undefined) return undefined
  return standing?.userId === userId ? standing : members?.find(member => member.userId === userId)
}
