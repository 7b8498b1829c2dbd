/** What is withheld of a page that was on its way, because of what has come since (protocol 8, promises 2 and 4). */
import { expect, it } from 'vitest'
import type { AccessLists } from '../../src/rules/access.ts'
import { Withdrawn } from '../../src/relay/withdrawn.ts'
import type { Entry } from '../../src/store/contract/log.ts'

const channel: Entry = { position: 1, cursor: 'a', kind: 'channel', channelKey: 1, payload: '{}' }
const message: Entry = { position: 2, cursor: 'b', kind: 'message', channelKey: 1, messageId: 'message-1', payload: '{}' }
const standing = (status?: 'disabled' | 'active'): Entry =>
  ({ position: 3, cursor: 'c', kind: 'participation', channelKey: 1, standing: { userId: 'amy', admin: false, ...(status === undefined ? {} : { status }) }, payload: '{}' })

it.each([
  ['was disabled', [standing('disabled')], { channel: false, message: true }],
  ['has left', [standing()], { channel: true, message: true }],
  ['has left and joined again', [standing(), standing('active')], { channel: true, message: false }]
] as const)('of one who %s', (_what, news, expected) => {
  const withdrawn = new Withdrawn({ of: 'user', userId: 'amy' })
  for (const entry of news) withdrawn.note(entry)
  expect({ channel: withdrawn.has(channel), message: withdrawn.has(message) }).toEqual(expected)
})

const disabledRead: AccessLists = { plus: [{ privilege: 'read_from_channel', selector: { kind: 'participant', status: 'Disabled' } }], minus: [] }
const adminsRead: AccessLists = { plus: [{ privilege: 'read_from_channel', selector: { kind: 'admin' } }], minus: [] }
const toAdmins: AccessLists = { plus: [{ privilege: 'read_message', selector: { kind: 'admin' } }], minus: [] }
const toAmy: AccessLists = { plus: [{ privilege: 'read_message', selector: { kind: 'user', userId: 'amy' } }], minus: [] }

/** Other lists of the channel. */
const relisted = (lists?: AccessLists): Entry => ({ position: 3, cursor: 'c', kind: 'channel-acls-changed', channelKey: 1, ...(lists === undefined ? {} : { channelLists: lists }), payload: '{}' })
/** Other lists of the message. */
const readdressed = (lists: AccessLists | undefined, before?: AccessLists): Entry => ({ ...message, position: 4, kind: 'message-updated', access: { lists, before: { lists: before } } })
const listed = (entry: Entry, lists?: AccessLists): Entry => ({ ...entry, access: { lists } })
const lost: Entry = { ...message, kind: 'message-deleted', access: { lists: toAdmins, before: { lists: toAmy } } }

/** What the page says of its reader: a member that is active, in a channel without lists. */
const member = { channelKey: 1, status: 'active' as const, admin: false }

it.each<[string, Entry[], Entry, 'withheld' | 'told', object?]>([
  ['a message of a channel that is for admins by now', [relisted(adminsRead)], message, 'withheld'],
  ['to an admin', [relisted(adminsRead)], message, 'told', { places: [{ ...member, admin: true }] }],
  ['of one that was, and is for all again', [relisted(adminsRead), relisted()], message, 'told'],
  ['of another channel', [{ ...relisted(adminsRead), channelKey: 2 }], message, 'told'],
  ['to one who was disabled where that reads', [{ ...standing('disabled'), channelLists: disabledRead }], message, 'told'],
  ['to one who was disabled, before that reads', [standing('disabled'), relisted(disabledRead)], message, 'told'],
  ['to one who was disabled where it read, and does not any more', [relisted(disabledRead), { ...standing('disabled'), channelLists: disabledRead }, relisted()], message, 'withheld'],
  ['a whisper to admins, to one who is none by now', [standing('active')], listed(message, toAdmins), 'withheld', { places: [{ ...member, admin: true }], messageLists: [['message-1', toAdmins]] }],
  ['a whisper by name, to one who has left', [standing()], listed(message, toAmy), 'told', { places: [member], messageLists: [['message-1', toAmy]] }],
  ['a message that is for admins by now', [readdressed(toAdmins)], message, 'withheld'],
  ['one that was, and is for all again', [readdressed(toAdmins), readdressed(undefined, toAdmins)], message, 'told'],
  ['an edit of what was for admins then, and was for all when the page was read', [relisted(disabledRead), relisted()], listed(message, toAdmins), 'told', { places: [member], messageLists: [['message-1', undefined]] }],
  ['another message than the one whose lists have changed', [{ ...readdressed(toAdmins), messageId: 'message-2' }], message, 'told'],
  ['that a message is lost, to one who may not read the channel any more, but was named', [relisted(adminsRead)], lost, 'told'],
  ['that a message is lost, to one who was not', [relisted(adminsRead)], { ...lost, access: { lists: toAdmins, before: { lists: undefined } } }, 'withheld'],
  ['other lists, whatever the reader may by now', [relisted(adminsRead)], { ...relisted(), position: 2 }, 'told'],
  ['its own standing likewise', [relisted(adminsRead)], { ...standing('active'), position: 2 }, 'told']
])('where access control lists decide: %s', (_what, news, entry, expected, known = { places: [member] }) => {
  const withdrawn = new Withdrawn({ of: 'user', userId: 'amy' }, known)
  for (const one of news) withdrawn.note(one)
  expect(withdrawn.has(entry) ? 'withheld' : 'told').toBe(expected)
})
