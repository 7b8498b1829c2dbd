/**
 * What must not be delivered any more of a page that was on its way while a right ended or a text was deleted:
 * an entry is for who was entitled at its position and is when it is delivered (protocol 8, promises 4 and 5).
 */
import type { AccessLists, Caller } from '../rules/access.ts'
import { Audience, carriesChannel, readersNamedIn, standingOf, type StreamOf } from '../rules/audience.ts'
import type { Entry, Interest, Page, Position, Rights } from '../store/contract/log.ts'

interface Place {
  standing: Caller['standing']
  lists: AccessLists | undefined
}

export class Withdrawn {
  readonly #of: Interest['of']
  /** The reader; absent where the application reads. */
  readonly #userId: string | undefined
  /** What the reader is in channels, and what their lists are, by now; and the channels in which that has changed. */
  readonly #places: Map<number, Place>
  readonly #changed = new Set<number>()
  /** Channels whose messages have named the reader. */
  readonly #named: ReadonlySet<number>
  /** Channels that the reader is not in any more, or not since they were made. */
  readonly #left = new Set<number>()
  readonly #deletedChannels = new Set<number>()
  /** Messages that were deleted, and, by channel, up to where all were. */
  readonly #messages = new Set<string>()
  readonly #texts = new Map<number, Position>()
  /** What lists of messages are by now, and the messages of which they have changed. */
  readonly #messageLists: Map<string, AccessLists | undefined>
  readonly #relisted = new Set<string>()

  /** @param known what the page says of its reader's places, and of its messages, at the head that it was read at */
  constructor (interest: Interest, { places = [], messageLists = [], named = [] }: Pick<Page, 'places' | 'messageLists' | 'named'> = {}) {
    this.#named = new Set(named)
    this.#of = interest.of
    this.#userId = interest.of === 'application' ? undefined : interest.userId
    this.#places = new Map(places.map(({ channelKey, status, admin, lists }) => [channelKey, { standing: standingOf({ status, admin }), lists }]))
    this.#messageLists = new Map(messageLists)
  }

  /** Learns of an entry that the page does not know of. */
  note ({ kind, position, channelKey, messageId, standing, access, channelLists: lists }: Entry): void {
    if (kind === 'message-deleted') this.#messages.add(messageId!)
    if (kind === 'messages-truncated' || kind === 'channel-deleted') this.#texts.set(channelKey!, position)
    if (kind === 'channel-deleted') {
      this.#deletedChannels.add(channelKey!)
      this.#left.add(channelKey!)
    }
    if (access?.before !== undefined) {
      this.#relisted.add(messageId!)
      this.#messageLists.set(messageId!, access.lists)
    }
    if (kind === 'channel-acls-changed') this.#change(channelKey!, { standing: this.#places.get(channelKey!)?.standing, lists })
    if (standing === undefined || standing.userId !== this.#userId) return
    if (standing.status === undefined) this.#left.add(channelKey!)
    this.#change(channelKey!, { standing: standingOf(standing), lists })
  }

  #change (channelKey: number, place: Place): void {
    this.#places.set(channelKey, place)
    this.#changed.add(channelKey)
  }

  /** What is told of an entry by now; undefined: nothing. */
  told (entry: Entry): Entry | undefined {
    if (this.has(entry)) return undefined
    const { kind, channelKey, otherwise } = entry
    // What a channel began with is for those who may read it.
    return kind === 'channel' && otherwise !== undefined && this.#changed.has(channelKey!) && !this.#reads(channelKey!) ? otherwise : entry
  }

  has (entry: Entry): boolean {
    const { kind, position, channelKey, messageId } = entry
    if (kind === 'message' || kind === 'message-updated' || kind === 'message-timeline') {
      if (this.#messages.has(messageId!) || position <= (this.#texts.get(channelKey!) ?? 0)) return true
    }
    if (this.#userId === undefined || this.#isExempt(entry)) return false
    // Whoever is in a channel since it was made hears of that, whether it receives or not.
    if (kind === 'channel') return this.#left.has(channelKey!)
    if (this.#deletedChannels.has(channelKey!)) return true
    if (!this.#changed.has(channelKey!) && !this.#relisted.has(messageId ?? '')) return false
    return !this.#mayHave(entry)
  }

  /** Whether the reader may have an entry by now. */
  #mayHave ({ kind, channelKey, messageId, access }: Entry): boolean {
    const { standing, lists } = this.#placeIn(channelKey!)
    const caller = { userId: this.#userId!, standing }
    const reads = this.#reads(channelKey!)
    // It has lost the message with this entry.
    if (kind === 'message-deleted' && access?.before !== undefined) return reads || readersNamedIn(access.before.lists).includes(caller.userId)
    if (access === undefined && !this.#relisted.has(messageId ?? '')) return reads
    const own = this.#messageLists.has(messageId!) ? this.#messageLists.get(messageId!) : access?.lists
    return new Audience(own, lists).reaches(this.#of as StreamOf, caller)
  }

  #reads (channelKey: number): boolean {
    const { standing, lists } = this.#placeIn(channelKey)
    return this.#userId === undefined || carriesChannel(this.#of as StreamOf, lists, { userId: this.#userId, standing })
  }

  #placeIn (channelKey: number): Place {
    return this.#places.get(channelKey) ?? { standing: undefined, lists: undefined }
  }

  /** What concerns the reader whatever its rights are now. */
  #isExempt ({ kind, channelKey, standing }: Entry): boolean {
    return (kind === 'messages-truncated' && this.#named.has(channelKey!)) || kind === 'channel-deleted' || kind === 'channel-acls-changed' || (standing !== undefined && standing.userId === this.#userId)
  }
}

/** Entries that were missed, without what must not be delivered any more because of those behind it; its place stays. */
export function withheld (missed: Entry[], interest: Interest, rights: Rights): Entry[] {
  const withdrawn = new Withdrawn(interest, { places: rights.channels, ...(rights.named === undefined ? {} : { named: rights.named }) })
  for (const entry of missed) withdrawn.note(entry)
  const without = (entry: Entry): Entry => withdrawn.told(entry) ?? withoutPayload(entry)
  return missed.map(entry => entry.otherwise === undefined ? without(entry) : { ...without(entry), otherwise: without(entry.otherwise) })
}

function withoutPayload ({ payload, ...rest }: Entry): Entry {
  return rest
}
