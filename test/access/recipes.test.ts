/** Each recipe of docs/access.md does what it promises: who gets what live, at a resume, in lists and by id. */
import { expect, it } from 'vitest'
import { ask, carried, everyone, follow, linesOf, listed, listen, resumed, said, send, useRecipes } from './recipe-stage.ts'
import { recipes } from './recipes.ts'

useRecipes()

it('there are six, and each has a test here', () => {
  expect(recipes).toEqual([
    'An announcement channel', 'A help desk', 'An invisible moderator note', 'A read-only archive', 'Only `.system` may create channels',
    'A channel that strangers may read but not write'
  ])
})

it('An announcement channel: admins send, and whoever joins reads', async () => {
  const [amy, bob, eve] = await everyone()
  await follow('An announcement channel')
  const announced = [
    'participation town-news @bob new to Active, active',
    'message town-news @amy The pool opens on Saturday',
    'participation town-news @bob Active to Active, active admin',
    'message town-news @bob At nine'
  ]
  expect(await carried(amy, bob, eve)).toEqual([['channel town-news', ...announced], announced, []])
  expect([await resumed('amy', amy), await resumed('bob', bob)]).toEqual([linesOf(amy), announced])

  expect(await said('eve', 'GET /v1/channels/town-news/messages')).toBe('403 user_not_in_group')
  expect(await said('eve', 'POST /v1/channels/town-news/participants', { participantId: '@eve' })).toBe('204')
  expect(await listed('eve', 'town-news')).toEqual(['At nine', 'The pool opens on Saturday'])
  const [{ messageId }] = (await ask('eve', 'GET /v1/channels/town-news/messages')).body
  expect(await said('eve', `POST /v1/channels/town-news/messages/${messageId}/timeline`, { type: 'mitter.mtet.ReadTime', eventTimeMs: 1, subject: '@eve' })).toBe('200')
  const { status, body } = await ask('eve', 'POST /v1/channels/town-news/messages', { textPayload: 'And I?' })
  expect([status, body.errorCode, body.reason, body.diagnostics]).toEqual([403, 'missing_privilege', undefined, { missingPrivileges: ['send_to_channel'] }])

  expect(await said('amy', 'PATCH /v1/channels/town-news/participants/@bob', { roles: [] })).toBe('200')
  expect(await send('bob', 'town-news', 'At ten')).toBe('403 missing_privilege')
})

it('A help desk: a question is for who asks and for admins, and so is its answer', async () => {
  const [amy, bob, eve] = await everyone()
  const { answers } = await follow('A help desk')
  expect(answers.map(({ body }) => body?.relay?.recipientsCount).filter(count => count !== undefined)).toEqual([2, 2, 3])
  const notice = 'message help-desk @amy We are closed on Friday'
  const asked = ['message help-desk @bob My parcel has not come', 'message help-desk @amy It waits next door', notice]
  const [bobJoins, eveJoins] = ['@bob', '@eve'].map(userId => `participation help-desk ${userId} new to Active, active`)
  expect(await carried(amy, bob, eve)).toEqual([['channel help-desk', bobJoins, eveJoins, ...asked], [bobJoins, eveJoins, ...asked], [eveJoins, notice]])
  expect([await resumed('bob', bob), await resumed('eve', eve)]).toEqual([linesOf(bob), [eveJoins, notice]])
  const ofDesk = await listen('eve', '/v1/channels/help-desk/events?after=earliest')
  expect(linesOf(ofDesk).filter(line => line.startsWith('message'))).toEqual([notice])

  expect(await listed('bob', 'help-desk')).toEqual(['We are closed on Friday', 'It waits next door', 'My parcel has not come'])
  expect(await listed('amy', 'help-desk')).toEqual(await listed('bob', 'help-desk'))
  expect(await listed('eve', 'help-desk')).toEqual(['We are closed on Friday'])
  expect(await said('bob', 'GET /v1/messages/answer-1')).toBe('200')
  const hidden = [
    'GET /v1/messages/answer-1', 'GET /v1/channels/help-desk/messages?before=question-1', 'GET /v1/channels/help-desk/messages/question-1/timeline',
    'GET /v1/channels/help-desk/access?privilege=read_message&messageId=question-1', 'GET /v1/messages/question-1/acls'
  ]
  for (const request of hidden) expect(await said('eve', request), request).toBe('404 entity_not_found')

  expect(await said('bob', 'DELETE /v1/channels/help-desk/messages/question-1')).toBe('204')
  const gone = 'message-deleted help-desk question-1'
  expect((await carried(amy, bob, eve)).map(lines => lines.at(-1))).toEqual([gone, gone, notice])
})

it('An invisible moderator note: for whoever is no admin it is not there', async () => {
  const [amy, bob, eve] = await everyone()
  await follow('An invisible moderator note')
  const review = 'message book-club @bob Dull, like its readers'
  const note = 'message book-club @amy His second one of this kind'
  const joined = 'participation book-club @bob new to Active, active'
  expect(await carried(amy, bob, eve)).toEqual([['channel book-club', joined, review, note], [joined, review], []])
  expect([await resumed('amy', amy), await resumed('bob', bob)]).toEqual([linesOf(amy), [joined, review]])
  expect(await listed('amy', 'book-club')).toEqual(['His second one of this kind', 'Dull, like its readers'])
  expect(await listed('bob', 'book-club')).toEqual(['Dull, like its readers'])

  expect(await said('eve', 'POST /v1/channels/book-club/participants', { participantId: '@eve' })).toBe('204')
  expect(await said('eve', 'GET /v1/messages/note-001')).toBe('404 entity_not_found')
  expect(await said('amy', 'PATCH /v1/channels/book-club/participants/@eve', { roles: ['admin'] })).toBe('200')
  expect(await said('eve', 'GET /v1/messages/note-001')).toBe('200')
  expect(await listed('eve', 'book-club')).toEqual(await listed('amy', 'book-club'))
  expect((await carried(eve))[0]!.filter(line => line.startsWith('message'))).toEqual([])
  expect((await resumed('eve', eve)).filter(line => line.startsWith('message'))).toEqual([])

  expect(await said('bob', 'DELETE /v1/channels/book-club/messages/note-001')).toBe('404 entity_not_found')
  expect(await said('eve', 'DELETE /v1/channels/book-club/messages/note-001')).toBe('204')
  const gone = 'message-deleted book-club note-001'
  expect((await carried(amy, bob, eve)).map(lines => lines.includes(gone))).toEqual([true, false, true])
})

it('A read-only archive: all read, nobody sends or edits, until it is opened again', async () => {
  const [amy, bob, eve] = await everyone()
  await follow('A read-only archive')
  const lines = ['channel chess-club', 'message chess-club @bob e4 e5', 'channel-acls-changed chess-club']
  expect(await carried(amy, bob, eve)).toEqual([lines, lines, []])
  expect([await resumed('amy', amy), await resumed('bob', bob)]).toEqual([lines, lines])
  const closing = { plusAppliedAcls: [], minusAppliedAcls: ['send_to_channel:any_user()'] }
  expect(bob.frames.find(({ event }) => event === 'channel-acls-changed')!.json).toMatchObject({ '@type': 'channel-acls-changed-payload', appliedAcls: closing })
  expect((await ask('bob', 'GET /v1/channels/chess-club')).body.appliedAcls).toEqual(closing)

  expect(await send('amy', 'chess-club', 'I am its admin')).toBe('403 missing_privilege')
  expect(await said('amy', 'POST /v1/channels/chess-club/timeline', { type: 'com.example.won', eventTimeMs: 1, subject: '@amy' })).toBe('403 missing_privilege')
  expect(await send('app', 'chess-club', 'Closed')).toBe('200')
  expect(await listed('bob', 'chess-club')).toEqual(['Closed', 'e4 e5'])
  expect(await said('bob', 'DELETE /v1/channels/chess-club/messages/game-001')).toBe('204')

  expect(await said('app', 'PATCH /v1/channels/chess-club/acls', { patchType: 'Diff', removeAcls: closing })).toBe('204')
  expect(await send('bob', 'chess-club', 'Another one?')).toBe('200')
  expect((await ask('bob', 'GET /v1/channels/chess-club')).body).not.toHaveProperty('appliedAcls')
})

it('Only `.system` may create channels, of whatever ruleset', async () => {
  const [amy, bob, eve] = await everyone()
  const { answers } = await follow('Only `.system` may create channels')
  expect(answers[1]!.body.diagnostics).toEqual({ missingPrivileges: ['create_channel'] })
  expect(await carried(amy, bob, eve)).toEqual([['channel staff-room'], [], []])
  const direct = { defaultRuleSet: 'io.mitter.ruleset.chats.DirectMessage', participation: ['@amy', '@bob'].map(participantId => ({ participantId })) }
  expect(await said('amy', 'POST /v1/channels', direct)).toBe('200')

  expect(await said('app', 'PATCH /v1/applications/$APP/acls', { patchType: 'Set', setAcls: '-create_channel:any_user()' })).toBe('204')
  expect(await said('amy', 'POST /v1/channels', direct)).toBe('403 missing_privilege')
  expect(await said('app', 'POST /v1/channels', direct)).toBe('200')
  expect(await said('app', 'PATCH /v1/applications/$APP/acls', { patchType: 'Set', setAcls: '+create_channel:user(@amy)' })).toBe('204')
  expect([await said('amy', 'POST /v1/channels', direct), await said('bob', 'POST /v1/channels', direct)]).toEqual(['200', '403 missing_privilege'])
})

it('A channel that strangers may read but not write', async () => {
  const [amy, bob, eve] = await everyone()
  const { streams: [ofCouncil] } = await follow('A channel that strangers may read but not write')
  const first = 'message town-council @amy The session is open'
  expect(linesOf(ofCouncil!)).toContain(first)
  expect(await carried(amy, bob, eve)).toEqual([['channel town-council', first], [], []])

  expect(await send('amy', 'town-council', 'It is closed')).toBe('200')
  await ofCouncil!.until(({ json }) => json.message?.textPayload === 'It is closed')
  const cut = ofCouncil!.frames.find(({ json }) => json.message?.textPayload === 'The session is open')!.id
  expect(linesOf(await listen('eve', '/v1/channels/town-council/events', cut))).toEqual(['message town-council @amy It is closed'])
  expect(await listed('eve', 'town-council')).toEqual(['It is closed', 'The session is open'])
  const [{ messageId }] = (await ask('eve', 'GET /v1/channels/town-council/messages')).body
  expect(await said('eve', `GET /v1/messages/${messageId}`)).toBe('200')
  expect(await said('eve', 'GET /v1/channels/town-council')).toBe('200')

  expect(await said('eve', `PATCH /v1/channels/town-council/messages/${messageId}`, { textPayload: 'Not so' })).toBe('403 missing_privilege')
  const event = { type: 'mitter.mtet.ReadTime', eventTimeMs: 1, subject: '@eve' }
  expect(await said('eve', `POST /v1/channels/town-council/messages/${messageId}/timeline`, event)).toBe('403 user_not_in_group')
  expect(await said('eve', 'POST /v1/channels/town-council/timeline', { ...event, type: 'com.example.heard' })).toBe('403 user_not_in_group')
  expect(await said('eve', 'GET /v1/channels/town-council/participants')).toBe('403 user_not_in_group')
  expect(await said('nobody', 'GET /v1/channels/town-council/messages')).toBe('401 claim_rejected')

  expect(await said('eve', 'POST /v1/channels/town-council/participants', { participantId: '@eve' })).toBe('204')
  expect(await send('eve', 'town-council', 'May I?')).toBe('403 pending')
  expect(await said('amy', 'POST /v1/channels/town-council/participants/@eve/accept')).toBe('204')
  expect(await send('eve', 'town-council', 'Thank you')).toBe('200')
})
