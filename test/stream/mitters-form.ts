/** From compact frames back to mitter's: what the compact form leaves out is nothing but what it says elsewhere. Written from protocol 8, not from src. */

type Json = Record<string, any>

const reference = (identifier: string) => ({ identifier })
const audits = (createdAt: number, updatedAt = createdAt) => ({ audit: { createdAt, updatedAt }, auditInfo: { createdAt, updatedAt } })

const types: Record<string, string> = {
  message: 'new-message-payload',
  'message-updated': 'message-updated-payload',
  'message-timeline': 'new-message-timeline-event-payload',
  'message-deleted': 'message-deleted-payload',
  'messages-truncated': 'messages-truncated-payload',
  channel: 'new-channel-payload',
  'channel-deleted': 'channel-deleted-payload',
  'channel-timeline': 'new-channel-timeline-event-payload',
  participation: 'participation-changed-event-payload',
  'participation-deleted': 'participation-deleted-payload',
  'channel-acls-changed': 'channel-acls-changed-payload'
}

const participationStatus: Record<string, string> = { active: 'Active', muted: 'ReadOnly', pending: 'Disabled', disabled: 'Disabled' }

const eventOf = ({ id, type, subject, time }: Json, at: number) =>
  ({ eventId: id, identifier: id, type, eventTimeMs: time, subject: reference(subject), ...audits(at) })

/** All of it, but for the event in front of a message's own that the service made: that is `ofSending`. */
function messageOf ({ channel, id, sender, text, at, editedAt, messageType = 'Standard', payloadType = 'mitter.mt.Text', messageData = [], events = [], appliedAcls }: Json): Json {
  return {
    messageId: id,
    identifier: id,
    channelId: reference(channel),
    senderId: reference(sender),
    messageType,
    payloadType,
    textPayload: text,
    messageData,
    timelineEvents: events.map((event: Json) => eventOf(event, at)),
    ...(appliedAcls === undefined ? {} : { appliedAcls }),
    ...audits(at, editedAt),
    ...(editedAt === undefined ? {} : { editedAt })
  }
}

function channelOf ({ channel, ruleset, groupType, at, events = [], appliedAcls }: Json): Json {
  return {
    identifier: channel,
    channelId: channel,
    defaultRuleSet: ruleset,
    groupType,
    participation: [],
    systemChannel: ruleset === 'io.mitter.ruleset.chats.SystemChannel',
    timelineEvents: events.map((event: Json) => eventOf(event, at)),
    ...(appliedAcls === undefined ? {} : { appliedAcls }),
    ...audits(at)
  }
}

function dataOf (event: string, { channel, id, at, ...rest }: Json): Json {
  const here = { channelId: reference(channel) }
  switch (event) {
    case 'message':
    case 'message-updated': return { ...here, message: messageOf({ channel, id, at, ...rest }) }
    case 'message-deleted': return { ...here, messageId: reference(id) }
    case 'message-timeline': return { ...here, messageId: reference(id), timelineEvent: eventOf(rest.event, at) }
    case 'channel-timeline': return { ...here, timelineEvent: eventOf(rest.event, at) }
    case 'channel': return { channel: channelOf({ channel, at, ...rest }) }
    case 'participation': return {
      ...here,
      participantId: reference(rest.user),
      newStatus: participationStatus[rest.status],
      ...(rest.oldStatus === undefined ? {} : { oldStatus: rest.oldStatus }),
      relayStatus: rest.status,
      roles: rest.roles ?? []
    }
    case 'participation-deleted': return { ...here, participantId: reference(rest.user) }
    case 'channel-acls-changed': return { ...here, ...(rest.appliedAcls === undefined ? {} : { appliedAcls: rest.appliedAcls }) }
    default: return here
  }
}

/** What mitter's form of a compact frame says. */
export function mittersForm (id: string, event: string, compact: Json): Json {
  return { '@type': types[event], globalPipelinePayloadId: id, ...dataOf(event, compact) }
}

/** Mitter's form without the event that says when a message was sent, where nobody but the service said so. */
export function withoutOwnSentTime (data: Json): Json {
  const { message } = data
  if (message === undefined) return data
  const [first, ...others] = message.timelineEvents
  const isOwn = first?.type === 'mitter.mtet.SentTime' && /^.{14}8/.test(first.eventId) && first.eventTimeMs === message.audit.createdAt && first.subject.identifier === message.senderId.identifier
  return isOwn ? { ...data, message: { ...message, timelineEvents: others } } : data
}
