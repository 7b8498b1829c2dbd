/** Every schema that has a name of its own in the OpenAPI document, and that others refer to by it. */
import type { TSchema } from 'typebox'
import { Access, AclPatch, AppliedAcls, AppliedAclsInput, EntityAcls } from './access.ts'
import { Channel, ChannelInput, GroupType, ParticipatedChannel } from './channel.ts'
import { AuditInfo, ErrorEnvelope, Reference, ReferenceInput } from './common.ts'
import { Health } from './health.ts'
import { Message, MessageDatum, MessageEdit, MessageInput, MessageType, RelayOutcome, SentMessage } from './message.ts'
import {
  BriefParticipation, ChangedParticipation, ChannelParticipation, InitialParticipation, Participant, ParticipationChange, ParticipationInput, ParticipationStatus, RelayStatus, Role
} from './participation.ts'
import { ChannelTimelineEntry, MessageTimelineEntry, TimelineEvent, TimelineEventInput } from './timeline.ts'
import { EventToken, IssuedToken, TokenSummary, UserToken } from './token.ts'
import { ScreenName, User, UserInput, UserLocator } from './user.ts'

export const namedSchemas: TSchema[] = [
  Reference, ReferenceInput, AuditInfo, ErrorEnvelope,
  AppliedAcls, AppliedAclsInput, AclPatch, EntityAcls, Access,
  GroupType, Channel, ChannelInput, ParticipatedChannel,
  ParticipationStatus, RelayStatus, Role, Participant, ChannelParticipation, BriefParticipation, ParticipationInput, InitialParticipation, ParticipationChange, ChangedParticipation,
  TimelineEvent, TimelineEventInput, ChannelTimelineEntry, MessageTimelineEntry,
  MessageType, MessageDatum, Message, MessageInput, MessageEdit, RelayOutcome, SentMessage,
  ScreenName, UserLocator, User, UserInput,
  UserToken, IssuedToken, TokenSummary, EventToken,
  Health
]
