/**
 * Who gets what is committed. Rights follow from the entries alone, in their order: an accepted join opens,
 * a removal closes, before the next entry is looked at (protocol 8, promise 4).
 */
import { receives, type RelayStatus } from '../rules/relay.ts'
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

export class Hub {
  readonly #application = new Set<Subscriber>()
  /** By channel: streams that receive it. */
  readonly #receivers = new Index<number>()
  /** By channel: user streams of those who are in it without receiving; its deletion concerns them. */
  readonly #waiting = new Index<number>()
  readonly #users = new Index<string>()
  readonly #tokens = new Index<string>()
  /** Of those who follow the log: the channels that their readers are in. */
  readonly #standings = new Map<Subscriber, Map<number, RelayStatus>>()

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
    this.#standings.set(subscriber, new Map())
    if (subscriber.of === 'application') this.#application.add(subscriber)
    for (const { channelKey, status } of rights.channels) this.#setStanding(subscriber, channelKey, status)
    for (const entry of missed) this.#give(subscriber, entry)
  }

  unfollow (subscriber: Subscriber): void {
    this.#application.delete(subscriber)
    for (const channelKey of this.#standings.get(subscriber)?.keys() ?? []) this.#setStanding(subscriber, channelKey, undefined)
    this.#standings.delete(subscriber)
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

    const give = (subscriber: Subscriber) => { if (this.#give(subscriber, entry)) touched.add(subscriber) }
    // Whom the entry concerns comes first: it gets the entry whatever its rights, and its rights change with it.
    if (standing !== undefined) this.#users.each(standing.userId, give)
    for (const { userId } of members) this.#users.each(userId, give)
    this.#application.forEach(give)
    this.#receivers.each(channelKey!, give)
    if (kind === 'channel-deleted') this.#waiting.each(channelKey!, give)
  }

  /** Gives one subscriber an entry, if it is for it, and changes its rights as the entry says. True: it took it. */
  #give (subscriber: Subscriber, entry: Entry): boolean {
    const standings = this.#standings.get(subscriber)
    const { kind, channelKey } = entry
    if (standings === undefined || channelKey === undefined) return false
    const application = subscriber.of === 'application'
    if (subscriber.of === 'channel' && subscriber.channelKey !== channelKey) return false
    const own = application ? undefined : standingIn(entry, subscriber.userId)
    const ended = kind === 'channel-deleted' && standings.has(channelKey)
    if (!application && own === undefined && !ended && !receives(standings.get(channelKey))) return false
    if (!subscriber.offer(entry)) return false
    if (own !== undefined) this.#setStanding(subscriber, channelKey, own.status)
    if (ended) this.#setStanding(subscriber, channelKey, undefined)
    if (subscriber.of === 'channel') {
      if (ended) subscriber.end('deleted')
      else if (own !== undefined && !receives(own.status)) subscriber.end('removed')
    }
    return true
  }

  #setStanding (subscriber: Subscriber, channelKey: number, status: RelayStatus | undefined): void {
    this.#receivers.put(channelKey, subscriber, receives(status))
    this.#waiting.put(channelKey, subscriber, status !== undefined && !receives(status) && subscriber.of === 'user')
    const standings = this.#standings.get(subscriber)
    if (status === undefined) standings?.delete(channelKey)
    else standings?.set(channelKey, status)
  }
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

  /** Safe while `visit` changes the index. */
  each (key: Key, visit: (subscriber: Subscriber) => unknown): void {
    this.#sets.get(key)?.forEach(visit)
  }
}
