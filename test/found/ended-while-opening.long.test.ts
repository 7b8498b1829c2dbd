/** A right that ends at whichever moment of a stream's opening: the stream is not opened, or is told so, and none is left. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { until } from '../durability/conversation.ts'
import { SYSTEM, type Command } from '../../src/store/contract/commands.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, join } from '../support/commands.ts'
import { call } from '../support/process.ts'
import { openReader } from '../support/sse.ts'
import { Turnstile } from './turnstile.ts'

let on: TestApp
let turnstile: Turnstile
beforeEach(async () => {
  turnstile = new Turnstile()
  on = await startApp({ wrapStore: turnstile.wrap })
})
afterEach(async () => {
  turnstile.release()
  await on.stop()
})

const tokenOf = (headers: Record<string, string>) => (JSON.parse(atob(headers.authorization!.split('.')[1]!)) as { userTokenId: string }).userTokenId
const ends: Record<string, (asBob: Record<string, string>, user: string) => Command> = {
  revoked: (asBob, user) => ({ type: 'revoke-tokens', actor: SYSTEM, userId: user, tokenIds: [tokenOf(asBob)] }),
  deleted: (_asBob, user) => ({ type: 'delete-user', actor: SYSTEM, userId: user }),
  removed: (_asBob, user) => ({ type: 'remove-participant', actor: SYSTEM, channelId: 'room-of-amy', userId: user }),
  'channel deleted': () => ({ type: 'delete-channel', actor: SYSTEM, channelId: 'room-of-amy' })
}
let n = 0
const shows = ['token', 'event token', 'sudo'] as const
it.each(Object.keys(ends).flatMap(end => shows.flatMap(show => ['me', 'channel'].flatMap(of => ['head', 'earliest'].map(from => [end, show, of, from] as const)))))('%s, by %s, of %s, from %s', async (end, show, of, from) => {
  const seen: string[] = []
  for (let stage = 0; stage < 6; stage++) {
    const user = `bob${n++}`
    await on.user('amy')
    const asBob = await on.user(user)
    await on.store.append(createChannel('amy', 'room-of-amy')).catch(() => {})
    await on.store.append(join(user, 'room-of-amy'))
    const eventToken = (await call(on.url, 'POST', '/v1/users/me/event-tokens', asBob)).body.eventToken as string
    const path = of === 'me' ? '/v1/users/me/events' : '/v1/channels/room-of-amy/events'
    const headers: Record<string, string> = show === 'token' ? asBob : show === 'sudo' ? { ...on.application, 'x-mitter-sudo-user-id': user } : {}
    const query = `?${from === 'earliest' ? 'after=earliest&' : ''}${show === 'event token' ? `access_token=${eventToken}` : ''}`
    const held = turnstile.hold(stage)
    const opening = openReader(`${on.url}${path}${query}`, headers)
    opening.catch(() => {})
    const wasHeld = await Promise.race([held.then(() => true), opening.then(async reader => { await reader.until(({ event }) => event === 'caught-up' || event === 'bye').catch(() => {}); return false })])
    await on.store.append(ends[end]!(asBob, user))
    turnstile.release()
    const reader = await opening
    const concerned = end === 'deleted' || (end === 'revoked' && show !== 'sudo') || (of === 'channel' && (end === 'removed' || end === 'channel deleted'))
    if (reader.status === 200 && concerned) {
      await reader.ended
      seen.push(`${stage}${wasHeld ? '' : '!'} bye ${reader.frames.at(-1)!.json.reason}`)
      expect(reader.frames.at(-1)!.event).toBe('bye')
    } else if (reader.status === 200) {
      await reader.until('caught-up')
      seen.push(`${stage}${wasHeld ? '' : '!'} open`)
      await on.store.append(createChannel(SYSTEM, `room-${n++}-more`, { participants: [{ userId: user, status: 'active', roles: [] } as never] }))
      if (of === 'me') await reader.until(({ event, json }) => event === 'channel' && json.channel.channelId.endsWith('-more'))
    } else seen.push(`${stage}${wasHeld ? '' : '!'} ${reader.status}`)
    reader.close()
    await until('none is left', () => on.streams.count === 0)
    if (end === 'channel deleted') await on.store.settle()
  }
  if (process.env.SAY !== undefined) console.log(end, show, of, from, seen.join(', '))
}, 60_000)
