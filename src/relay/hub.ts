/**
 * Who gets what is committed. Rights follow from the entries alone, in their order: an accepted join opens,
 * a removal closes, before the next entry is looked at (protocol 8, promise 4).
 *
 * Most entries change nobody's rights. What such entries of one turn say of a channel, all streams of that channel get, and
 * the application's streams get everything: it is put together once for all of them, however many they are. What each
 * user's stream gets is put together as it goes; those that got the same share it.
 */
import type { AccessLists, Caller } from '../rules/access.ts'
import { readsChannel, standingOf } from '../rules/audience.ts'
import type { Entry, Rights } from '../store/contract/log.ts'
import type { EndReason } from './frames.ts'
import { changesNobody, ownForm, placeWith, readersOf, standingIn, toldTo, type Place, type Reader, type Readers } from './rights.ts'
import { Run } from './run.ts'
import { Index } from './subscribers.ts'

/** A stream as the hub sees it. */
export interface Subscriber extends Reader {
  /** Of a channel stream. */
  readonly channelKey?: number | undefined
  /** Tokens whose revocation ends the stream. */
  readonly lineage: readonly string[]
  /** What it gets by itself in this turn, before it is written: the hub's to change. */
  pending: Run | undefined
  /** Writes what a turn has brought. One that cannot any more has the hub unfollow it. */
  take (run: Run): void
  end (reason: EndReason): void
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
  /** By channel: its streams, and users' streams, that carry what is said there. */
  readonly #ofChannel = new Index<number>()
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
    const turn = new Turn()
    for (const entry of missed) this.#give(subscriber, entry, readersOf(entry), turn)
    turn.end()
  }

  unfollow (subscriber: Subscriber): void {
    const follower = this.#followers.get(subscriber)
    if (follower === undefined) return
    this.#application.delete(subscriber)
    for (const channelKey of [...follower.places.keys()]) this.#leave(subscriber, channelKey)
    for (const channelKey of [...follower.named]) this.#setNamed(subscriber, channelKey, false)
    this.#followers.delete(subscriber)
  }

  /** Hands out committed entries, in their order, then lets every stream that got any write once. */
  dispatch (entries: Entry[]): void {
    const turn = new Turn()
    for (const entry of entries) this.#dispatch(entry, turn)
    turn.end()
  }

  #dispatch (entry: Entry, turn: Turn): void {
    const { kind, channelKey, standing, members = [] } = entry
    if (kind === 'token-revoked' || kind === 'user-deleted') {
      turn.end() // whoever ends has what came before
      const ending = kind === 'token-revoked' ? this.#tokens.of(entry.tokenId!) : this.#users.of(entry.userId!)
      for (const subscriber of ending) subscriber.end('expired')
      return
    }

    turn.addAll(this.#application, entry)
    const ofChannel = this.#ofChannel.of(channelKey!)
    if (changesNobody(entry)) {
      turn.addAll(ofChannel, entry)
      for (const subscriber of this.#receivers.of(channelKey!)) turn.add(subscriber, entry)
      return
    }
    turn.settle(ofChannel)
    const readers = readersOf(entry)
    const give = (subscribers: Iterable<Subscriber>) => { for (const subscriber of subscribers) this.#give(subscriber, entry, readers, turn) }
    // Whom the entry concerns comes first: it gets the entry whatever its rights, and its rights change with it.
    if (standing !== undefined) give(this.#users.of(standing.userId))
    for (const { userId } of members) give(this.#users.of(userId))
    for (const userId of readers.named) give(this.#users.of(userId))
    give(ofChannel)
    give(this.#receivers.of(channelKey!))
    if (kind === 'channel-deleted' || kind === 'channel-acls-changed') give(this.#waiting.of(channelKey!))
    if (kind === 'channel-deleted' || kind === 'messages-truncated') give(this.#named.of(channelKey!))
  }

  /** Gives one subscriber an entry, if it is for it and was not given before, and changes its rights as the entry says. */
  #give (subscriber: Subscriber, entry: Entry, readers: Readers, turn: Turn): void {
    const follower = this.#followers.get(subscriber)
    const { kind, channelKey } = entry
    if (follower === undefined || channelKey === undefined || turn.has(subscriber, entry)) return
    if (subscriber.of === 'channel' && subscriber.channelKey !== channelKey) return
    const own = standingIn(entry, subscriber.userId)
    const before = follower.places.get(channelKey)
    if (subscriber.of === 'user' && readers.namesFromNow(subscriber.userId!)) this.#setNamed(subscriber, channelKey, true)
    if (kind === 'channel-acls-changed' && before !== undefined) this.#setPlace(subscriber, channelKey, before.standing, entry.channelLists)
    const told = subscriber.of === 'application'
      ? entry
      : own !== undefined ? ownForm(entry, subscriber.userId!, own) : toldTo(subscriber, entry, readers, before, follower.named.has(channelKey))
    if (told === undefined) return
    turn.add(subscriber, told)

    if (own !== undefined) this.#setPlace(subscriber, channelKey, standingOf(own), this.#shared(channelKey, entry.channelLists))
    if (kind === 'messages-truncated' || kind === 'channel-deleted') this.#setNamed(subscriber, channelKey, false)
    if (kind === 'channel-deleted') this.#leave(subscriber, channelKey)
    if (subscriber.of === 'channel' && follower.places.get(channelKey)?.reads !== true) {
      flush(subscriber)
      // One that has fallen behind is told when it comes to that.
      if (this.#followers.has(subscriber)) subscriber.end(kind === 'channel-deleted' ? 'deleted' : 'removed')
    }
  }

  /** A user's stream has a place in channels that the user is in; a channel's has one there for as long as it goes on. */
  #setPlace (subscriber: Subscriber, channelKey: number, standing: Caller['standing'], lists: AccessLists | undefined): void {
    if (standing === undefined && subscriber.of === 'user') return this.#leave(subscriber, channelKey)
    const { of, userId } = subscriber
    const reads = userId === undefined || readsChannel(lists, { userId, standing })
    const index = of === 'channel' ? this.#ofChannel : this.#receivers
    index.put(channelKey, subscriber, reads)
    this.#waiting.put(channelKey, subscriber, !reads && of === 'user')
    this.#followers.get(subscriber)?.places.set(channelKey, placeWith(standing, lists, reads))
  }

  /** The same lists that another stream of the channel knows, where they are: what follows from them is found once for all. */
  #shared (channelKey: number, lists: AccessLists | undefined): AccessLists | undefined {
    if (lists === undefined) return undefined
    const [other] = this.#receivers.of(channelKey).size > 0 ? this.#receivers.of(channelKey) : this.#ofChannel.of(channelKey)
    const known = other && this.#followers.get(other)?.places.get(channelKey)?.lists
    return known !== undefined && JSON.stringify(known) === JSON.stringify(lists) ? known : lists
  }

  #leave (subscriber: Subscriber, channelKey: number): void {
    this.#ofChannel.delete(channelKey, subscriber)
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

type Subscribers = ReadonlySet<Subscriber>

/** What one turn of the loop has brought, before it is written. */
class Turn {
  readonly #start = new Run()
  /** What all streams of a channel get, and all of the application's. */
  readonly #together = new Map<Subscribers, Run>()
  readonly #alone: Subscriber[] = []

  /** An entry for all of some. */
  addAll (subscribers: Subscribers, entry: Entry): void {
    if (subscribers.size > 0) this.#together.set(subscribers, (this.#together.get(subscribers) ?? this.#start).and(entry))
  }

  /** An entry for one. */
  add (subscriber: Subscriber, entry: Entry): void {
    if (subscriber.pending === undefined) this.#alone.push(subscriber)
    subscriber.pending = (subscriber.pending ?? this.#start).and(entry)
  }

  /** Whether one has it already, as what it is or as something else. */
  has ({ pending }: Subscriber, { position }: Entry): boolean {
    return pending?.entry?.position === position
  }

  /** Those who get something together have it before each gets something by itself. */
  settle (subscribers: Subscribers): void {
    const run = this.#together.get(subscribers)
    if (run === undefined) return
    this.#together.delete(subscribers)
    for (const subscriber of subscribers) {
      flush(subscriber)
      subscriber.take(run)
    }
  }

  /** All is written. */
  end (): void {
    for (const subscribers of [...this.#together.keys()]) this.settle(subscribers)
    for (const subscriber of this.#alone.splice(0)) flush(subscriber)
  }
}

function flush (subscriber: Subscriber): void {
  const { pending } = subscriber
  if (pending === undefined) return
  subscriber.pending = undefined
  subscriber.take(pending)
}
