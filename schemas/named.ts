/** Every schema that has a name of its own in the OpenAPI document, and that others refer to by it. */
import type { TSchema } from 'typebox'
import { Access, AclPatch, AppliedAcls, AppliedAclsInput, EntityAcls } from './access.ts'
import { Channel, GroupType, NewChannel, ParticipatedChannel } from './channel.ts'
import { AuditInfo, ErrorEnvelope, Reference, ReferenceInput } from './common.ts'
import { Health } from './health.ts'
import { Message, MessageDatum, MessageEdit, NewMessage, RelayOutcome, SentMessage } from './message.ts'
import {
  BriefParticipation, ChangedParticipation, ChannelParticipation, InitialParticipation, NewParticipation, Participant, ParticipationChange, ParticipationStatus, RelayStatus
} from './participation.ts'
import { ChannelTimelineEntry, MessageTimelineEntry, NewTimelineEvent, TimelineEvent } from './timeline.ts'
import { EventToken, IssuedToken, TokenSummary, UserToken } from './token.ts'
import { NewUser, ScreenName, User, UserLocator } from './user.ts'

export const namedSchemas: TSchema[] = [
  Reference, ReferenceInput, AuditInfo, ErrorEnvelope,
  AppliedAcls, AppliedAclsInput, AclPatch, EntityAcls, Access,
  GroupType, Channel, NewChannel, ParticipatedChannel,
  ParticipationStatus, RelayStatus, Participant, ChannelParticipation, BriefParticipation, NewParticipation, InitialParticipation, ParticipationChange, ChangedParticipation,
  TimelineEvent, NewTimelineEvent, ChannelTimelineEntry, MessageTimelineEntry,
  MessageDatum, Message, NewMessage, MessageEdit, RelayOutcome, SentMessage,
  ScreenName, UserLocator, User, NewUser,
  UserToken, IssuedToken, TokenSummary, EventToken,
  Health
]
