/**
 * What must not be delivered any more of a page that was on its way while a right ended or a text was deleted:
 * an entry is for who was entitled at its position and is when it is delivered (protocol 8, promises 4 and 5).
 */
import { receives } from '../rules/relay.ts'
import type { Entry, Interest, Position } from '../store/contract/log.ts'

export class Withdrawn {
  readonly #userId: string | undefined
  /** Channels that the reader receives no more. */
  readonly #channels = new Set<number>()
  readonly #deleted = new Set<number>()
  /** Channels that the reader is not in any more, or not since they were made. */
  readonly #left = new Set<number>()
  /** Messages that were deleted, and, by channel, up to where all were. */
  readonly #messages = new Set<string>()
  readonly #texts = new Map<number, Position>()
  /** Where rights follow from access control lists and have changed: of what came before, only the store can tell. */
  readonly #relistedChannels = new Map<number, Position>()
  readonly #relistedMessages = new Map<string, Position>()
  /** By channel, where the reader's own standing has changed last. */
  readonly #standings = new Map<number, Position>()

  constructor (interest: Interest) {
    this.#userId = interest.of === 'application' ? undefined : interest.userId
  }

  /** Learns of an entry that the page does not know of. */
  note (entry: Entry): void {
    const { kind, position, channelKey, messageId, standing } = entry
    if (kind === 'message-deleted') this.#messages.add(messageId!)
    if (kind === 'messages-truncated' || kind === 'channel-deleted') this.#texts.set(channelKey!, position)
    if (kind === 'channel-deleted') {
      this.#deleted.add(channelKey!)
      this.#channels.add(channelKey!)
      this.#left.add(channelKey!)
    }
    if (kind === 'channel-acls-changed') {
      this.#relistedChannels.set(channelKey!, position)
      this.#channels.delete(channelKey!) // what came before is uncertain, what comes behind it the hub decides
    }
    if (entry.access?.before !== undefined) this.#relistedMessages.set(messageId!, position)
    if (standing === undefined || standing.userId !== this.#userId) return
    this.#standings.set(channelKey!, position)
    if (standing.status === undefined) this.#left.add(channelKey!)
    if (entry.channelLists !== undefined) {
      this.#relistedChannels.set(channelKey!, position)
      this.#channels.delete(channelKey!)
    } else if (receives(standing.status)) this.#channels.delete(channelKey!)
    else this.#channels.add(channelKey!)
  }

  /** Whether access control lists decide of an entry, and they, or the reader's standing, have changed since: it is to be read again. */
  isUncertain (entry: Entry): boolean {
    const { position, channelKey, messageId, access } = entry
    if (this.#userId === undefined || this.#isExempt(entry)) return false
    const changed = (at: Position | undefined) => at !== undefined && at > position
    return changed(this.#relistedChannels.get(channelKey!)) || changed(this.#relistedMessages.get(messageId ?? '')) ||
      (access !== undefined && changed(this.#standings.get(channelKey!)))
  }

  has (entry: Entry): boolean {
    const { kind, position, channelKey, messageId, access } = entry
    if (kind === 'message' || kind === 'message-updated' || kind === 'message-timeline') {
      if (this.#messages.has(messageId!) || position <= (this.#texts.get(channelKey!) ?? 0)) return true
    }
    if (this.#userId === undefined || this.#isExempt(entry)) return false
    // Of what lists decide, the store has told, and tells again where that may have changed.
    if (access !== undefined) return this.#deleted.has(channelKey!)
    // Whoever is in a channel since it was made hears of that, whether it receives or not.
    return (kind === 'channel' ? this.#left : this.#channels).has(channelKey!)
  }

  /** What concerns the reader whatever its rights are now. */
  #isExempt ({ kind, standing }: Entry): boolean {
    return kind === 'channel-deleted' || kind === 'channel-acls-changed' || (standing !== undefined && standing.userId === this.#userId)
  }
}
