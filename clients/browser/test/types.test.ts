/** What the types let through: checked by tsc; nothing here runs but to be checked. */
import { expectTypeOf, it } from 'vitest'
import type { CompactMessage, Message, RelayEvent, SendOptions, SubscribeOptions } from '../client.js'

it('an event\'s type says what its data is', () => {
  const onEvent = (event: RelayEvent): void => {
    if (event.type === 'message') expectTypeOf(event.data).toEqualTypeOf<CompactMessage>()
    if (event.type === 'gap') expectTypeOf(event.data.reason).toEqualTypeOf<'expired' | 'unknown'>()
    if (event.type === 'participation') expectTypeOf(event.data.user).toBeString()
  }
  expectTypeOf(onEvent).toExtend<SubscribeOptions['onEvent']>()
})

it('the long form has any data', () => {
  expectTypeOf<RelayEvent<'mitter'>['data']>().toEqualTypeOf<Record<string, any>>()
})

it('a token is a string, or a function of the one that was refused', () => {
  expectTypeOf<string>().toExtend<SubscribeOptions['token']>()
  expectTypeOf<(refused?: string) => Promise<string>>().toExtend<SubscribeOptions['token']>()
  expectTypeOf<() => null>().toExtend<SendOptions['token']>()
  expectTypeOf<() => Promise<number>>().not.toExtend<SendOptions['token']>()
})

it('a message is a text or an object, and comes back whole', () => {
  expectTypeOf<{ textPayload: string, messageId: string }>().toExtend<SendOptions['message']>()
  expectTypeOf<Message['senderId']>().toEqualTypeOf<{ identifier: string }>()
})
