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
  /** Channels that the reader is not in any more, or not since they were made. */
  readonly #left = new Set<number>()
  /** Messages that were deleted, and, by channel, up to where all were. */
  readonly #messages = new Set<string>()
  readonly #texts = new Map<number, Position>()

  constructor (interest: Interest) {
    this.#userId = interest.of === 'application' ? undefined : interest.userId
  }

  /** Learns of an entry that the page does not know of. */
  note ({ kind, position, channelKey, messageId, standing }: Entry): void {
    if (kind === 'message-deleted') this.#messages.add(messageId!)
    if (kind === 'messages-truncated' || kind === 'channel-deleted') this.#texts.set(channelKey!, position)
    if (kind === 'channel-deleted') {
      this.#channels.add(channelKey!)
      this.#left.add(channelKey!)
    }
    if (standing === undefined || standing.userId !== this.#userId) return
    if (standing.status === undefined) this.#left.add(channelKey!)
    if (receives(standing.status)) this.#channels.delete(channelKey!)
    else this.#channels.add(channelKey!)
  }

  has ({ kind, position, channelKey, messageId, standing }: Entry): boolean {
    if (kind === 'message' || kind === 'message-updated' || kind === 'message-timeline') {
      if (this.#messages.has(messageId!) || position <= (this.#texts.get(channelKey!) ?? 0)) return true
    }
    if (this.#userId === undefined || kind === 'channel-deleted' || standing?.userId === this.#userId) return false
    // Whoever is in a channel since it was made hears of that, whether it receives or not.
    return (kind === 'channel' ? this.#left : this.#channels).has(channelKey!)
  }
}
