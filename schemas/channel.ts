/** Channels (protocol 3). */
import { Type, type Static } from 'typebox'
import { AppliedAcls, AppliedAclsInput } from './access.ts'
import { audits, Id, LONGEST_ID, PagingQuery, ref, unsupportedInput } from './common.ts'
import { ChannelParticipation, InitialParticipation, ParticipationStatus } from './participation.ts'
import { MOST_CREATION_EVENTS, TimelineEvent, TimelineEventInput } from './timeline.ts'

/** Participants that a channel may begin with (protocol 1, rule 9). */
export const MOST_INITIAL_PARTICIPANTS = 1_000

const exampleAudit = { createdAt: 1732240000000, updatedAt: 1732240000000 }

export const GroupType = Type.Enum(['public', 'private', 'strict_private'], {
  type: 'string',
  $id: 'GroupType',
  description: 'Who may join: anyone at once (public), whoever a participant accepts (private), whoever an admin accepts (strict_private)',
  examples: ['public']
})
export type GroupType = Static<typeof GroupType>

const defaultRuleSet = Type.String({
  maxLength: LONGEST_ID,
  description: 'Who may be in it: io.mitter.ruleset.chats.GroupChat, .DirectMessage, .SystemChannel or .SingleParticipantChannel',
  examples: ['io.mitter.ruleset.chats.GroupChat']
})

const exampleChannel = {
  identifier: 'football-fans',
  channelId: 'football-fans',
  defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat',
  groupType: 'public',
  participation: [],
  systemChannel: false,
  timelineEvents: [],
  audit: exampleAudit,
  auditInfo: exampleAudit
}

export const Channel = Type.Object({
  identifier: Id('The id of the channel', 'football-fans'),
  channelId: Id('The same as identifier', 'football-fans'),
  defaultRuleSet,
  groupType: ref(GroupType),
  participation: Type.Array(ref(ChannelParticipation), { maxItems: 0, description: 'Always empty: participants have a list of their own', examples: [[]] }),
  systemChannel: Type.Boolean({ description: 'Whether it is left out of lists', examples: [false] }),
  timelineEvents: Type.Array(ref(TimelineEvent), { maxItems: MOST_CREATION_EVENTS, description: 'What happened to it before it was created here', examples: [[]] }),
  appliedAcls: Type.Optional(ref(AppliedAcls, 'Its own access control lists; absent where it has none')),
  ...audits
}, {
  $id: 'Channel',
  description: 'A channel: participants, and the messages they share',
  examples: [exampleChannel]
})
export type Channel = Static<typeof Channel>

export const ParticipatedChannel = Type.Object({
  participationId: Id('The id of the participation', '5d2a7e66-7d0a-4a3f-9d7e-0d3c9b1c6a01'),
  identifier: Id('The id of the channel, which is also what pages go on from', 'football-fans'),
  participationStatus: ref(ParticipationStatus),
  channel: ref(Channel)
}, {
  $id: 'ParticipatedChannel',
  description: 'A channel that a user is in',
  examples: [{
    participationId: '5d2a7e66-7d0a-4a3f-9d7e-0d3c9b1c6a01',
    identifier: 'football-fans',
    participationStatus: 'Active',
    channel: exampleChannel
  }]
})
export type ParticipatedChannel = Static<typeof ParticipatedChannel>

export const ChannelsQuery = Type.Object({
  ...PagingQuery.properties,
  includeSystemChannels: Type.Optional(Type.Boolean({ default: false, description: 'true: list SystemChannels too', examples: [false] }))
})

export const ParticipatedChannelsQuery = Type.Object({
  ...ChannelsQuery.properties,
  rulesetFilter: Type.Optional(Type.String({ description: 'Only channels of this ruleset', examples: ['io.mitter.ruleset.chats.GroupChat'] }))
})

export const ChannelInput = Type.Object({
  channelId: Type.Optional(Id('The id it is to have, 8 to 72 characters. Left out: a UUID', 'football-fans')),
  defaultRuleSet,
  participation: Type.Optional(Type.Array(ref(InitialParticipation), {
    maxItems: MOST_INITIAL_PARTICIPANTS, description: 'Who is in it from the beginning, up to 1,000; a user who creates it is, listed or not', examples: [[]]
  })),
  systemChannel: Type.Optional(Type.Boolean({ description: 'What the ruleset says anyway: true of a SystemChannel, false of others', examples: [false] })),
  groupType: Type.Optional(ref(GroupType, 'Who may join a GroupChat: public, private or strict_private, by default public; others have the one that their ruleset says')),
  timelineEvents: Type.Optional(Type.Array(ref(TimelineEventInput), { maxItems: MOST_CREATION_EVENTS, description: 'What happened to it already, up to 64', examples: [[]] })),
  appliedAcls: Type.Optional(ref(AppliedAclsInput, 'Its access control lists: of a GroupChat, or from the application')),
  ...unsupportedInput
}, {
  $id: 'ChannelInput',
  description: 'A channel to create',
  examples: [{ channelId: 'football-fans', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', groupType: 'public' }]
})
export type ChannelInput = Static<typeof ChannelInput>
