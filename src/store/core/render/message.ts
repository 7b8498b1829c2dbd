/** A message as JSON text: rendered once, for answers and frames alike. */
import type { AppliedAcls } from '../../../../schemas/access.ts'
import type { AccessLists } from '../../../rules/access.ts'
import { SYSTEM } from '../../../rules/identifiers.ts'
import type { TimelineEvent } from '../../../../schemas/timeline.ts'
import type { MessageText } from '../../contract/commands.ts'
import type { UserReference } from '../records.ts'
import { appliedAcls, nameGoneIn } from './lists.ts'

/** In the place of a deleted user's id (protocol 7). */
export const DELETED_USER = '.deleted'

/** Content of a message that was deleted since: what a repeated send still answers with. */
export const ERASED_CONTENT = '{"messageType":"Standard","payloadType":"mitter.mt.Text","textPayload":"","messageData":[],"timelineEvents":[]}'

export interface MessageParts {
  messageId: string
  channelId: string
  sender: UserReference
  /** JSON text of an object: what the sender gave, as it was at the entry. */
  content: string
  /** Users named within the content, or by its lists, who were deleted since. */
  gone: string[]
  /** Its own access control lists. */
  acls?: AccessLists | undefined
  createdAt: number
  editedAt?: number
}

export function messageText (parts: MessageParts): MessageText {
  const { messageId, channelId, sender, content, gone, acls, createdAt, editedAt } = parts
  const id = JSON.stringify(messageId)
  const all = sender.deleted ? [sender.userId, ...gone] : gone
  const named = withoutUsers(content, all)
  const lists = acls === undefined ? '' : `,"appliedAcls":${JSON.stringify(appliedAcls(acls, channelId, all))}`
  const audit = `{"createdAt":${createdAt},"updatedAt":${editedAt ?? createdAt}}`
  return `{"messageId":${id},"identifier":${id},"channelId":${reference(channelId)},"senderId":${reference(nameOf(sender))},` +
    `${named.slice(1, -1)}${lists},"audit":${audit},"auditInfo":${audit}` +
    (editedAt === undefined ? '}' : `,"editedAt":${editedAt}}`)
}

export function nameOf ({ userId, deleted }: UserReference): string {
  return deleted ? DELETED_USER : userId
}

export function reference (id: string): string {
  return `{"identifier":${JSON.stringify(id)}}`
}

/** JSON text of an object, the subjects of its `timelineEvents`, and users of its `appliedAcls`, who are gone named nowhere in it. */
export function withoutUsers (text: string, gone: string[]): string {
  if (gone.length === 0) return text
  const parsed = JSON.parse(text) as { timelineEvents?: TimelineEvent[], appliedAcls?: AppliedAcls }
  parsed.timelineEvents?.forEach(event => nameGone(event, gone))
  if (parsed.appliedAcls !== undefined) parsed.appliedAcls = nameGoneIn(parsed.appliedAcls, gone)
  return JSON.stringify(parsed)
}

export function nameGone (event: Pick<TimelineEvent, 'subject'>, gone: string[]): void {
  if (gone.includes(event.subject.identifier)) event.subject.identifier = DELETED_USER
}

const EVENTS_KEY = '"timelineEvents":'

/**
 * The timeline events of a content, as they were given. They come last in it, and nothing but a key can be those
 * characters in JSON: the rest, which may be long, is not parsed.
 */
function eventsOf (content: string): TimelineEvent[] {
  const at = content.lastIndexOf(EVENTS_KEY)
  if (at === -1) return []
  try {
    return JSON.parse(content.slice(at + EVENTS_KEY.length, -1)) as TimelineEvent[]
  } catch {
    return (JSON.parse(content) as { timelineEvents?: TimelineEvent[] }).timelineEvents ?? [] // the key was of something within
  }
}

/** Events that a message came with, as it shows them. */
export function messageEvents ({ content, sender, gone }: Pick<MessageParts, 'content' | 'sender' | 'gone'>): TimelineEvent[] {
  const events = eventsOf(content)
  for (const event of events) nameGone(event, sender.deleted ? [sender.userId, ...gone] : gone)
  return events
}

/** The users whom a content's timeline events are about. */
export function subjectsOf (content: string): string[] {
  return [...new Set(eventsOf(content).map(({ subject }) => subject.identifier).filter(id => id !== SYSTEM && id !== DELETED_USER))]
}
