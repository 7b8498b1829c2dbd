/** A channel shows its timeline events to those who may read it only (protocol 3). */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startService, type Service } from '../http/service.ts'
import { callsTo } from '../http/rules/calls.ts'

let service: Service
let open: string
let closed: string
beforeAll(async () => {
  service = await startService(['amy', 'muted', 'waiting', 'disabled', 'stranger'])
  const timelineEvents = [{ type: 'what only members know', eventTimeMs: 1_732_240_000_000, subject: 'amy' }]
  const participation = [{ participantId: 'amy' }, { participantId: 'muted', participationStatus: 'ReadOnly' }, { participantId: 'disabled', participationStatus: 'Disabled' }]
  open = await channel('group', [], { groupType: 'public', participation, timelineEvents })
  closed = await channel('group', [], { groupType: 'private', participation, timelineEvents })
  await service.call(`POST /v1/channels/${closed}/participants`, { as: 'waiting', body: { participantId: 'waiting' } })
})
afterAll(() => service.stop())
const { channel, get } = callsTo(() => service)

it.each([
  ['a member', 'amy', true, true], ['a muted one', 'muted', true, true], ['the application', undefined, true, true],
  ['a pending one', 'waiting', false, true], ['a disabled one', 'disabled', false, true], ['a stranger, of a public channel', 'stranger', false, false]
] as const)('events that a channel came with are shown as its rights say, to %s', async (_who, as, reads, closedToo) => {
  const shown = async (path: string) => (await get(path, as)).timelineEvents.length as number
  const expected = reads ? 1 : 0
  // A pending member is no member of the public channel, where anyone may read the channel all the same.
  expect(await shown(`/v1/channels/${open}`)).toBe(expected)
  if (closedToo) expect(await shown(`/v1/channels/${closed}`)).toBe(expected)
  if (as !== undefined) {
    const listed = await get('/v1/users/me/channels', as) as Array<{ channel: { timelineEvents: unknown[] } }>
    expect(listed.map(one => one.channel.timelineEvents.length)).toEqual(listed.map(() => expected))
  }
})
