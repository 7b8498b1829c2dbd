/** Participation (protocol 4): one stored status, two renderings of it. */
import { Type, type Static } from 'typebox'
import { audits, Id, LONGEST_FORWARD_PAGE, ref, Reference, ReferenceInput, Time } from './common.ts'
import { ScreenName } from './user.ts'

const exampleAudit = { createdAt: 1732240000000, updatedAt: 1732240000000 }

export const ParticipationStatus = Type.Enum(['Active', 'ReadOnly', 'Disabled'], {
  type: 'string',
  $id: 'ParticipationStatus',
  description: 'What a participant may do: Active receives and sends, ReadOnly receives, Disabled neither',
  examples: ['Active']
})
export type ParticipationStatus = Static<typeof ParticipationStatus>

export const RelayStatus = Type.Enum(['active', 'pending', 'muted', 'disabled'], {
  type: 'string',
  $id: 'RelayStatus',
  'x-enum-varnames': ['RelayActive', 'RelayPending', 'RelayMuted', 'RelayDisabled'],
  description: 'The same in more detail: a Disabled participant is pending (it asked to join) or disabled',
  examples: ['active']
})
export type RelayStatus = Static<typeof RelayStatus>

/** Roles that a list may name; there is one. */
const MOST_ROLES = 16

export const Role = Type.Enum(['admin'], { type: 'string', $id: 'Role', description: 'What a participant is beside one: an admin accepts, rejects and mutes others', examples: ['admin'] })
export type Role = Static<typeof Role>

const roles = Type.Array(ref(Role), { maxItems: MOST_ROLES, description: 'What it is beside a participant', examples: [['admin']] })

export const Participant = Type.Object({
  userId: Id('The id of the user', '@amy'),
  identifier: Id('The same as userId', '@amy'),
  screenName: Type.Optional(ref(ScreenName, 'The name that others see'))
}, { $id: 'Participant', description: 'The user who participates', examples: [{ userId: '@amy', identifier: '@amy' }] })
export type Participant = Static<typeof Participant>

const exampleParticipation = {
  channelParticipationId: '5d2a7e66-7d0a-4a3f-9d7e-0d3c9b1c6a01',
  participantId: { identifier: '@amy' },
  participant: { userId: '@amy', identifier: '@amy', screenName: { screenName: 'Amy' } },
  participationStatus: 'Active',
  relayStatus: 'active',
  roles: ['admin'],
  joinedAt: 1732240000000,
  channelId: { identifier: 'football-fans' },
  audit: exampleAudit,
  auditInfo: exampleAudit
}

export const ChannelParticipation = Type.Object({
  channelParticipationId: Id('The id of the participation', '5d2a7e66-7d0a-4a3f-9d7e-0d3c9b1c6a01'),
  participantId: ref(Reference, 'The user who participates'),
  participant: Type.Optional(ref(Participant, 'The same, with the name that others see')),
  participationStatus: ref(ParticipationStatus),
  relayStatus: ref(RelayStatus),
  roles,
  joinedAt: Time('When it joined, or asked to'),
  channelId: ref(Reference, 'The channel'),
  ...audits
}, {
  $id: 'ChannelParticipation',
  description: 'A user\'s place in a channel',
  examples: [exampleParticipation]
})
export type ChannelParticipation = Static<typeof ChannelParticipation>

export const BriefParticipation = Type.Object({
  participantId: ref(Reference, 'The user who participates'),
  participationStatus: ref(ParticipationStatus)
}, {
  $id: 'BriefParticipation',
  description: 'A user\'s place in a channel, in short',
  examples: [{ participantId: { identifier: '@amy' }, participationStatus: 'Active' }]
})
export type BriefParticipation = Static<typeof BriefParticipation>

export const ParticipationInput = Type.Object({
  participantId: ref(ReferenceInput, 'Who is to participate: yourself; the application may name anyone'),
  participationStatus: Type.Optional(ref(ParticipationStatus, 'What it may do; heeded only where the application adds. Left out: Active'))
}, { $id: 'ParticipationInput', description: 'A participant to add', examples: [{ participantId: '@amy' }] })
export type ParticipationInput = Static<typeof ParticipationInput>

export const InitialParticipation = Type.Object({
  ...ParticipationInput.properties,
  roles: Type.Optional(roles)
}, { $id: 'InitialParticipation', description: 'A participant of a channel from its beginning', examples: [{ participantId: '@amy', participationStatus: 'Active' }] })
export type InitialParticipation = Static<typeof InitialParticipation>

export const ParticipationChange = Type.Object({
  newStatus: Type.Optional(ref(ParticipationStatus, 'What it may do from now on (the application only)')),
  roles: Type.Optional(roles)
}, { $id: 'ParticipationChange', description: 'What to change of a participant: its status, its roles, or both', examples: [{ newStatus: 'ReadOnly' }] })
export type ParticipationChange = Static<typeof ParticipationChange>

export const ChangedParticipation = Type.Object({
  oldChannelParticipation: ref(ChannelParticipation, 'Before'),
  newChannelParticipation: ref(ChannelParticipation, 'After; the same where nothing changed')
}, {
  $id: 'ChangedParticipation',
  description: 'A participation before and after a change',
  examples: [{ oldChannelParticipation: exampleParticipation, newChannelParticipation: exampleParticipation }]
})
export type ChangedParticipation = Static<typeof ChangedParticipation>

export const ParticipantsQuery = Type.Object({
  participationStatus: Type.Optional(Type.String({ description: 'Which ones, comma-separated: Active, ReadOnly, Disabled. Left out, with relayStatus too: Active', examples: ['Active,ReadOnly'] })),
  relayStatus: Type.Optional(Type.String({ description: 'Which ones, comma-separated: active, pending, muted, disabled', examples: ['pending'] })),
  after: Type.Optional(Type.String({ description: 'Those who joined after the participant with this user id', examples: ['@amy'] })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LONGEST_FORWARD_PAGE, default: LONGEST_FORWARD_PAGE, description: 'Participants at most, 1 to 1,000', examples: [20] })),
  expandParticipants: Type.Optional(Type.Boolean({ default: true, description: 'false: only participantId and participationStatus of each', examples: [true] }))
})
