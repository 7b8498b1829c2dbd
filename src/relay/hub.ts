/**
 * Who gets what is committed. Rights follow from the entries alone, in their order: an accepted join opens,
 * a removal closes, before the next entry is looked at (contract 8, promise 4).
 */
import type { Entry, Rights } from '../store/store.ts'
import { entryFrame, type EndReason } from './frames.ts'

/** A stream as the hub sees it. */
export interface Subscriber {
  readonly of: 'application' | 'user' | 'channel'
  /** The reader; absent where the application reads. */
  readonly userId?: string | undefined
  /** Of a channel stream. */
  readonly channelKey?: number | undefined
  /** Tokens whose revocation ends the stream. */
  readonly lineage: readonly string[]
  /** Takes an entry's frame, to be written at `flush`. False where it has been past that entry already. */
  offer (entry: Entry, frame: () => Buffer): boolean
  /** Writes all that was offered in this turn at once. */
  flush (): void
  end (reason: EndReason): void
}

export class Hub {
  readonly #subscribers = new Set<Subscriber>()
  readonly #application = new Set<Subscriber>()
  /** By channel: streams that receive it. */
  readonly #receivers = new Index<number>()
  /** By channel: user streams of those who are in it without receiving; its deletion concerns them. */
  readonly #waiting = new Index<number>()
  readonly #users = new Index<string>()
  readonly #tokens = new Index<string>()
  readonly #joined = new WeakMap<Subscriber, Set<number>>()

  /** Every subscriber, replaying ones included. */
  get subscribers (): ReadonlySet<Subscriber> {
    return this.#subscribers
  }

  /** From now on the subscriber is told to end when its reader or its token ends; it gets no entries yet. */
  watch (subscriber: Subscriber): void {
    this.#subscribers.add(subscriber)
    if (subscriber.userId !== undefined) this.#users.add(subscriber.userId, subscriber)
    for (const tokenId of subscriber.lineage) this.#tokens.add(tokenId, subscriber)
  }

  /** From now on the subscriber gets entries; `rights` are those at the place up to which it has read. */
  join (subscriber: Subscriber, rights: Rights): void {
    this.#joined.set(subscriber, new Set())
    if (subscriber.of === 'application') this.#application.add(subscriber)
    for (const { channelKey, receives } of rights.channels) this.#setRights(subscriber, channelKey, true, receives)
  }

  leave (subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber)
    this.#application.delete(subscriber)
    if (subscriber.userId !== undefined) this.#users.delete(subscriber.userId, subscriber)
    for (const tokenId of subscriber.lineage) this.#tokens.delete(tokenId, subscriber)
    for (const channelKey of this.#joined.get(subscriber) ?? []) this.#setRights(subscriber, channelKey, false, false)
    this.#joined.delete(subscriber)
  }

  /** Hands out committed entries, in their order, then lets every stream that got any write once. */
  dispatch (entries: Entry[]): void {
    const touched = new Set<Subscriber>()
    for (const entry of entries) this.#dispatch(entry, touched)
    for (const subscriber of touched) subscriber.flush()
  }

  #dispatch (entry: Entry, touched: Set<Subscriber>): void {
    if (entry.kind === 'token-revoked') return this.#tokens.each(entry.tokenId!, subscriber => subscriber.end('expired'))
    if (entry.kind === 'user-deleted') return this.#users.each(entry.concerns!, subscriber => subscriber.end('expired'))

    let made: Buffer | undefined
    const frame = () => (made ??= entryFrame(entry))
    const offer = (subscriber: Subscriber): boolean => {
      if (!subscriber.offer(entry, frame)) return false
      touched.add(subscriber)
      return true
    }
    const key = entry.channelKey!
    // Whom the entry concerns comes first: it gets the entry whatever its rights, and its rights change with it.
    if (entry.concerns !== undefined) this.#concern(entry.concerns, key, entry.member!, entry.receives!, offer)
    for (const { userId, receives } of entry.members ?? []) this.#concern(userId, key, true, receives, offer)
    this.#application.forEach(offer)
    this.#receivers.each(key, offer)
    if (entry.kind === 'channel-deleted') this.#close(key, offer)
  }

  #concern (userId: string, channelKey: number, member: boolean, receives: boolean, offer: (subscriber: Subscriber) => boolean): void {
    this.#users.each(userId, subscriber => {
      const joined = this.#joined.has(subscriber)
      const concerned = subscriber.of === 'user' || subscriber.channelKey === channelKey
      if (!joined || !concerned || !offer(subscriber)) return
      this.#setRights(subscriber, channelKey, member, receives)
      if (subscriber.of === 'channel' && !receives) subscriber.end('removed')
    })
  }

  #close (channelKey: number, offer: (subscriber: Subscriber) => boolean): void {
    this.#waiting.each(channelKey, offer)
    for (const index of [this.#waiting, this.#receivers]) {
      index.each(channelKey, subscriber => {
        this.#setRights(subscriber, channelKey, false, false)
        if (subscriber.of === 'channel') subscriber.end('deleted')
      })
    }
  }

  #setRights (subscriber: Subscriber, channelKey: number, member: boolean, receives: boolean): void {
    this.#receivers.put(channelKey, subscriber, receives)
    this.#waiting.put(channelKey, subscriber, member && !receives && subscriber.of === 'user')
    const joined = this.#joined.get(subscriber)
    if (member) joined?.add(channelKey)
    else joined?.delete(channelKey)
  }
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
