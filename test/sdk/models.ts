/** What the tests send, as mitter's own models make it: with every optional field, empty or null. */
import { Channel, type ChannelParticipation, EntityProfile, Message, ParticipationStatus, StandardRuleSetNames } from '@mitter-io/models'

export const participation = (userId: string) =>
  ({ participantId: { identifier: userId }, participationStatus: ParticipationStatus.Active }) as ChannelParticipation

export const channelOf = (ruleset: string, channelId: string, ...userIds: string[]) =>
  new Channel(ruleset, userIds.map(participation), new EntityProfile({ identifier: channelId }, []), channelId)

/** A GroupChat. */
export const channel = (channelId: string, ...userIds: string[]) => channelOf(StandardRuleSetNames.GroupChat, channelId, ...userIds)

export const message = (senderId: string, textPayload: string) =>
  new Message({ identifier: senderId }, textPayload, [], [], { plusAppliedAcls: [], minusAppliedAcls: [] })

export const texts = (messages: Array<{ textPayload: string }>) => messages.map(({ textPayload }) => textPayload)
