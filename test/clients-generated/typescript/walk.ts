/** Uses the client that was generated beside it; prints what it saw, as JSON. */
import { createClient } from './generated/client'
import { createChannel, createUser, getChannel, listMessages, sendMessage } from './generated'

declare const process: { env: Record<string, string> }
const { API, KEY, SECRET, NAME, CHANNEL, TEXT } = process.env as Record<'API' | 'KEY' | 'SECRET' | 'NAME' | 'CHANNEL' | 'TEXT', string>

const client = createClient({ baseUrl: API, auth: ({ scheme }) => scheme === 'basic' ? `${KEY}:${SECRET}` : undefined })
const path = { channelId: CHANNEL }

async function walk (): Promise<void> {
  const must = { client, throwOnError: true } as const
  const user = await createUser({ ...must, body: { userId: NAME, screenName: { screenName: NAME } } })
  const channel = await createChannel({
    ...must, body: { channelId: CHANNEL, defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', groupType: 'public', participation: [{ participantId: NAME, roles: ['admin'] }] }
  })
  const sent = await sendMessage({ ...must, path, headers: { 'idempotency-key': `${NAME}-send-1` }, body: { senderId: NAME, textPayload: TEXT, messageType: 'Standard' } })
  const listed = await listMessages({ ...must, path, query: { limit: 10 } })
  const refused = await getChannel({ client, path: { channelId: 'nothing-there' } })
  console.log(JSON.stringify({
    user: user.data.identifier,
    channel: channel.data.identifier,
    recipients: sent.data.relay.recipientsCount,
    sentAt: sent.data.audit.createdAt,
    listed: listed.data.map(({ senderId, textPayload }) => [senderId.identifier, textPayload]),
    refused: refused.error?.errorCode
  }))
}

walk().catch((err: unknown) => {
  console.error(err)
  throw err
})
