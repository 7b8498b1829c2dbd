/** Commands as tests write them: what a test is not about has a default. */
import { randomUUID } from 'node:crypto'
import { SYSTEM, type Command, type CreateChannel, type SendMessage } from '../../src/store/contract/commands.ts'
import type { Entry, Interest, Page, Place } from '../../src/store/contract/log.ts'
import type { Store } from '../../src/store/contract/store.ts'

export const createUser = (userId: string): Command =>
  ({ type: 'create-user', actor: SYSTEM, userId, userLocators: [], systemUser: false })

export const createChannel = (actor: string, channelId: string, more: Partial<CreateChannel> = {}): CreateChannel => ({
  type: 'create-channel',
  actor,
  channelId,
  ruleset: 'io.mitter.ruleset.chats.GroupChat',
  groupType: 'public',
  participants: [],
  timelineEvents: [],
  ...more
})

export const join = (userId: string, channelId: string): Command =>
  ({ type: 'add-participant', actor: userId, userId, channelId, status: 'active' })

export const leave = (userId: string, channelId: string): Command =>
  ({ type: 'remove-participant', actor: userId, userId, channelId })

export const send = (actor: string, channelId: string, textPayload: string, more: Partial<SendMessage> = {}): SendMessage => ({
  type: 'send-message',
  actor,
  senderId: actor,
  channelId,
  messageId: randomUUID(),
  messageType: 'Standard',
  payloadType: 'mitter.mt.Text',
  textPayload,
  messageData: [],
  timelineEvents: [],
  ...more
})

/** The first place that the log can be read from. */
export const earliest = async (store: Pick<Store, 'openStream'>): Promise<Place> => (await store.openStream({ of: 'application' }, { from: 'earliest' })).place

/** Everything that a reader may have after a place, or from the beginning, page by page. */
export async function readAll (store: Store, interest: Interest, after?: Place, limit = 500): Promise<Entry[]> {
  const entries: Entry[] = []
  for (let from = after ?? await earliest(store), ahead: Page['ahead']; ;) {
    const page = await store.read(interest, from, limit, ahead)
    entries.push(...page.entries)
    if (page.rights !== undefined) return entries
    from = page.through
    ahead = page.ahead
  }
}

/** An entry in a few words: its kind, and the text or the person that it is about. */
export function gist (entry: Entry): string {
  const payload = JSON.parse(entry.payload ?? '{}') as { message?: { textPayload: string }, messageId?: { identifier: string }, participantId?: { identifier: string } }
  const detail = payload.message?.textPayload ?? payload.participantId?.identifier ?? payload.messageId?.identifier
  return detail === undefined ? entry.kind : `${entry.kind} ${detail}`
}

export const gists = (entries: Entry[]): string[] => entries.map(gist)
