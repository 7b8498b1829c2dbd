/** Repeats under an `Idempotency-Key` (protocol 6) are answered before lists are asked. */
import { randomUUID } from 'node:crypto'
import { beforeEach, expect, it } from 'vitest'
import { theApp, theWorld, useStage } from '../relay/stage.ts'
import { SYSTEM } from '../relay/steps.ts'
import { call } from '../support/process.ts'
import { applicationAcls, GROUP_CHAT, make, named, own, read, ROOM_ACLS, set } from './lists-calls.ts'

useStage()

beforeEach(async () => {
  expect((await set(SYSTEM, applicationAcls(), '')).said).toBe('204')
  expect((await make('amy', { groupType: 'private', participation: [{ participantId: '{bob}' }] })).said).toBe('200')
})

/** A call under a key, to be made again. */
function keyed (by: string, method: string, path: string, body?: object): () => Promise<{ status: number, body: any }> {
  const headers = { ...theWorld().headers(by), 'idempotency-key': randomUUID() }
  return async () => {
    const { status, body: answer } = await call(theApp().url, method, named(path), headers, body && named(body))
    return { status, body: answer }
  }
}

it.each<[what: string, taken: () => string, privilege: string, anew: number, by: string, method: string, path: string, body?: object]>([
  ['a channel', applicationAcls, 'create_channel', 403, 'bob', 'POST', '/v1/channels', { defaultRuleSet: GROUP_CHAT }],
  ['a message', () => ROOM_ACLS, 'send_to_channel', 403, 'bob', 'POST', '/v1/channels/{room}/messages', { textPayload: 'Hello' }],
  ['joining', () => ROOM_ACLS, 'join_channel', 403, 'dan', 'POST', '/v1/channels/{room}/participants', { participantId: '{dan}' }],
  ['leaving', () => ROOM_ACLS, 'remove_self', 404, 'bob', 'DELETE', '/v1/channels/{room}/participants/me']
])('%s: a repeat answers what the first did, a new call is refused', async (_, taken, privilege, anew, by, method, path, body) => {
  const first = keyed(by, method, path, body)
  const answer = await first()
  expect(answer.status).toBeOneOf([200, 204])
  expect((await set(SYSTEM, taken(), `-${privilege}:any_user()`)).said).toBe('204')
  expect(await first()).toEqual(answer)
  expect((await keyed(by, method, path, body)()).status).toBe(anew)
})

it('a message that does not name its sender is answered to it again', async () => {
  const first = keyed('bob', 'POST', '/v1/channels/{room}/messages', { messageId: '{note}', textPayload: 'For Amy', appliedAcls: '+read_message:user({amy})' })
  const answer = await first()
  expect(answer.body.textPayload).toBe('For Amy')
  expect(await first()).toEqual(answer)
  expect((await read('bob', '/v1/messages/{note}')).said).toBe('404')
})

it('a change of lists is made once', async () => {
  const first = keyed(SYSTEM, 'PATCH', ROOM_ACLS, { patchType: 'Set', setAcls: '-send_to_channel:user({bob})' })
  expect((await first()).status).toBe(204)
  expect((await set(SYSTEM, ROOM_ACLS, '')).said).toBe('204')
  expect((await first()).status).toBe(204)
  expect(await own(ROOM_ACLS)).toEqual({ plusAppliedAcls: [], minusAppliedAcls: [] })
})

it('a change by somebody who has lost modify_acl since is answered, and not made again', async () => {
  await set(SYSTEM, ROOM_ACLS, '+modify_acl:user({bob})')
  const first = keyed('bob', 'PATCH', ROOM_ACLS, { patchType: 'Set', setAcls: '' })
  expect([(await first()).status, (await first()).status]).toEqual([204, 204])
  expect((await set('bob', ROOM_ACLS, '')).said).toBe('403')
})
