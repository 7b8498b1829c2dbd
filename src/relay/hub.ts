/**
 * Who gets what is committed. Rights follow from the entries alone, in their order: an accepted join opens,
 * a removal closes, before the next entry is looked at (protocol 8, promise 4).
 */
import type { AccessLists, Caller } from '../rules/access.ts'
import { Audience, readersNamedIn, readsChannel, standingOf, type StreamOf } from '../rules/audience.ts'
import type { Entry, Rights, Standing } from '../store/contract/log.ts'
import type { EndReason } from './frames.ts'

/** A stream as the hub sees it. */
export interface Subscriber {
  readonly of: 'application' | 'user' | 'channel'
  /** The reader; absent where the application reads. */
  readonly userId?: string | undefined
  /** Of a channel stream. */
  readonly channelKey?: number | undefined
  /** Tokens whose revocation ends the stream. */
  readonly lineage: readonly string[]
  /** Takes an entry, to be written at `flush`. False where it has been past that entry already, or follows no more. */
  offer (entry: Entry): boolean
  /** Writes all that was offered in this turn at once. */
  flush (): void
  end (reason: EndReason): void
}

/** What a subscriber's reader is in a channel, and what the channel's own lists are, as of the last entry that it was given. */
interface Place {
  readonly standing: Caller['standing']
  readonly lists: AccessLists | undefined
  /** Whether it may read what is said there. */
  readonly reads: boolean
}

/** One who follows the log. */
interface Follower {
  /** By channel. Of a user's stream: those that the user is in. */
  places: Map<number, Place>
  /** Of a user's stream: channels of which messages that were not truncated since have named the user. */
  named: Set<number>
}

export class Hub {
  readonly #application = new Set<Subscriber>()
  /** By channel: streams that carry what is said there. */
  readonly #receivers = new Index<number>()
  /** By channel: streams of users who are in it without reading; its deletion, and other lists, concern them. */
  readonly #waiting = new Index<number>()
  /** By channel: streams of users whom its messages have named. */
  readonly #named = new Index<number>()
  readonly #users = new Index<string>()
  readonly #tokens = new Index<string>()
  readonly #followers = new Map<Subscriber, Follower>()

  /** From now on the subscriber is told to end when its reader or its token ends; it gets no entries yet. */
  attach (subscriber: Subscriber): void {
    if (subscriber.userId !== undefined) this.#users.add(subscriber.userId, subscriber)
    for (const tokenId of subscriber.lineage) this.#tokens.add(tokenId, subscriber)
  }

  detach (subscriber: Subscriber): void {
    this.unfollow(subscriber)
    if (subscriber.userId !== undefined) this.#users.delete(subscriber.userId, subscriber)
    for (const tokenId of subscriber.lineage) this.#tokens.delete(tokenId, subscriber)
  }

  /**
   * From now on the subscriber gets entries.
   * @param rights those at the place up to which it has read
   * @param missed what was dispatched since that place: it is given that first
   */
  follow (subscriber: Subscriber, rights: Rights, missed: Entry[]): void {
    this.#followers.set(subscriber, { places: new Map(), named: new Set() })
    if (subscriber.of === 'application') this.#application.add(subscriber)
    for (const { channelKey, status, admin, lists } of rights.channels) {
      this.#setPlace(subscriber, channelKey, standingOf({ status, admin }), this.#shared(channelKey, lists))
    }
    for (const channelKey of rights.named ?? []) this.#setNamed(subscriber, channelKey, true)
    for (const entry of missed) this.#give(subscriber, entry, readersOf(entry))
  }

  unfollow (subscriber: Subscriber): void {
    this.#application.delete(subscriber)
    const { places, named } = this.#followers.get(subscriber) ?? { places: new Map<number, Place>(), named: new Set<number>() }
    for (const channelKey of [...places.keys()]) this.#leave(subscriber, channelKey)
    for (const channelKey of [...named]) this.#setNamed(subscriber, channelKey, false)
    this.#followers.delete(subscriber)
  }

  /** Hands out committed entries, in their order, then lets every stream that got any write once. */
  dispatch (entries: Entry[]): void {
    const touched = new Set<Subscriber>()
    for (const entry of entries) this.#dispatch(entry, touched)
    for (const subscriber of touched) subscriber.flush()
  }

  #dispatch (entry: Entry, touched: Set<Subscriber>): void {
    const { kind, channelKey, standing, members = [] } = entry
    if (kind === 'token-revoked') return this.#tokens.each(entry.tokenId!, subscriber => subscriber.end('expired'))
    if (kind === 'user-deleted') return this.#users.each(entry.userId!, subscriber => subscriber.end('expired'))

    if (changesNobody(entry)) {
      const offer = (subscriber: Subscriber) => { if (subscriber.offer(entry)) touched.add(subscriber) }
      this.#application.forEach(offer)
      this.#receivers.each(channelKey!, offer)
      return
    }
    const readers = readersOf(entry)
    const give = (subscriber: Subscriber) => { if (this.#give(subscriber, entry, readers)) touched.add(subscriber) }
    // Whom the entry concerns comes first: it gets the entry whatever its rights, and its rights change with it.
    if (standing !== undefined) this.#users.each(standing.userId, give)
    for (const { userId } of members) this.#users.each(userId, give)
    for (const userId of readers.named) this.#users.each(userId, give)
    this.#application.forEach(give)
    this.#receivers.each(channelKey!, give)
    if (kind === 'channel-deleted' || kind === 'channel-acls-changed') this.#waiting.each(channelKey!, give)
    if (kind === 'channel-deleted' || kind === 'messages-truncated') this.#named.each(channelKey!, give)
  }

  /** Gives one subscriber an entry, if it is for it, and changes its rights as the entry says. True: it took it. */
  #give (subscriber: Subscriber, entry: Entry, readers: Readers): boolean {
    const follower = this.#followers.get(subscriber)
    const { kind, channelKey } = entry
    if (follower === undefined || channelKey === undefined) return false
    if (subscriber.of === 'channel' && subscriber.channelKey !== channelKey) return false
    const own = standingIn(entry, subscriber.userId)
    const before = follower.places.get(channelKey)
    if (subscriber.of === 'user' && readers.namesFromNow(subscriber.userId!)) this.#setNamed(subscriber, channelKey, true)
    if (kind === 'channel-acls-changed' && before !== undefined) this.#setPlace(subscriber, channelKey, before.standing, entry.channelLists)
    const told = subscriber.of === 'application' ? entry : own !== undefined ? ownForm(entry, subscriber.userId!, own) : toldTo(subscriber, entry, readers, before, follower)
    if (told === undefined || !subscriber.offer(told)) return false

    if (own !== undefined) this.#setPlace(subscriber, channelKey, standingOf(own), this.#shared(channelKey, entry.channelLists))
    if (kind === 'messages-truncated' || kind === 'channel-deleted') this.#setNamed(subscriber, channelKey, false)
    if (kind === 'channel-deleted') this.#leave(subscriber, channelKey)
    if (subscriber.of === 'channel') {
      if (kind === 'channel-deleted') subscriber.end('deleted')
      else if (follower.places.get(channelKey)?.reads !== true) subscriber.end('removed')
    }
    return true
  }

  /** A user's stream has a place in channels that the user is in; a channel's has one there for as long as it goes on. */
  #setPlace (subscriber: Subscriber, channelKey: number, standing: Caller['standing'], lists: AccessLists | undefined): void {
    if (standing === undefined && subscriber.of === 'user') return this.#leave(subscriber, channelKey)
    const { userId } = subscriber
    const reads = userId === undefined || readsChannel(lists, { userId, standing })
    this.#receivers.put(channelKey, subscriber, reads)
    this.#waiting.put(channelKey, subscriber, !reads && subscriber.of === 'user')
    this.#followers.get(subscriber)?.places.set(channelKey, placeWith(standing, lists, reads))
  }

  /** The same lists that another stream of the channel knows, where they are: what follows from them is found once for all. */
  #shared (channelKey: number, lists: AccessLists | undefined): AccessLists | undefined {
    if (lists === undefined) return undefined
    const [other] = this.#receivers.of(channelKey)
    const known = other && this.#followers.get(other)?.places.get(channelKey)?.lists
    return known !== undefined && JSON.stringify(known) === JSON.stringify(lists) ? known : lists
  }

  #leave (subscriber: Subscriber, channelKey: number): void {
    this.#receivers.delete(channelKey, subscriber)
    this.#waiting.delete(channelKey, subscriber)
    this.#followers.get(subscriber)?.places.delete(channelKey)
  }

  #setNamed (subscriber: Subscriber, channelKey: number, named: boolean): void {
    this.#named.put(channelKey, subscriber, named)
    if (named) this.#followers.get(subscriber)?.named.add(channelKey)
    else this.#followers.get(subscriber)?.named.delete(channelKey)
  }
}

/** What is about a reader, it is told whatever it may; what a new channel began with, only where it may read that. */
function ownForm (entry: Entry, userId: string, own: Standing): Entry {
  const { kind, channelLists, otherwise } = entry
  return kind !== 'channel' || otherwise === undefined || readsChannel(channelLists, { userId, standing: standingOf(own) }) ? entry : otherwise
}

/** What a subscriber is told of an entry that is not about its reader: the entry, what stands in its place, or nothing. */
function toldTo ({ of, userId }: Subscriber, entry: Entry, readers: Readers, place: Place | undefined, { named }: Follower): Entry | undefined {
  const { kind, channelKey, access, channelLists, otherwise } = entry
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
  if (kind === 'channel-deleted' && (place !== undefined || named.has(channelKey!))) return entry
  if (kind === 'messages-truncated' && named.has(channelKey!)) return entry
  return place?.reads === true ? entry : undefined
}

const placesWithoutLists = new Map<string, Place>()

/** Where a channel has no lists there are few different places, and many streams that have them. */
function placeWith (standing: Caller['standing'], lists: AccessLists | undefined, reads: boolean): Place {
  if (lists !== undefined) return { standing, lists, reads }
  const key = `${standing?.status} ${standing?.admin} ${reads}`
  let place = placesWithoutLists.get(key)
  if (place === undefined) placesWithoutLists.set(key, place = { standing, lists, reads })
  return place
}

const NOBODY: ReadonlySet<string> = new Set()

/** Who may read what an entry is about, found once however many are asked about: whoever is in a channel knows the same lists of it. */
class Readers {
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
function changesNobody ({ kind, standing, members, access }: Entry): boolean {
  return standing === undefined && members === undefined && access === undefined &&
    kind !== 'channel-acls-changed' && kind !== 'channel-deleted' && kind !== 'messages-truncated'
}

const NO_READERS = new Readers({})

/** What lists decide; of other entries nobody asks. */
const readersOf = (entry: Entry): Readers => entry.access === undefined && entry.kind !== 'channel-acls-changed' ? NO_READERS : new Readers(entry)

function audienceIn (known: Map<AccessLists | undefined, Audience>, lists: AccessLists | undefined, channelLists: AccessLists | undefined): Audience {
  let audience = known.get(channelLists)
  if (audience === undefined) known.set(channelLists, audience = new Audience(lists, channelLists))
  return audience
}

/** A user's standing from an entry on, if the entry is about the user. */
function standingIn ({ standing, members }: Entry, userId: string | undefined): Standing | undefined {
  if (userId === undefined) return undefined
  return standing?.userId === userId ? standing : members?.find(member => member.userId === userId)
}

/** Subscribers by a key; keys without any take no room. */
class Index<Key> {
  readonly #sets = new Map<Key, Set<Subscriber>>()

  add (key: Key, subscriber: Subscriber): void {
    const set = this.#sets.get(key)
    if (set === undefined) this.#sets.set(key, new Set([subscriber]))
    else set.add(subscriber)
  }

  delete (key: Key, subscriber: Subscriber): void {
    const set = this.#sets.get(key)
    if (set?.delete(subscriber) === true && set.size === 0) this.#sets.delete(key)
  }

  put (key: Key, subscriber: Subscriber, present: boolean): void {
    if (present) this.add(key, subscriber)
    else this.delete(key, subscriber)
  }

  /** In the order in which they came. */
  of (key: Key): Iterable<Subscriber> {
    return this.#sets.get(key) ?? []
  }

  /** Safe while `visit` changes the index. */
  each (key: Key, visit: (subscriber: Subscriber) => unknown): void {
    this.#sets.get(key)?.forEach(visit)
  }
}
