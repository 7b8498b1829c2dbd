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

const lists: AccessLists = { plus: [{ privilege: 'read_from_channel', selector: { kind: 'participant', status: 'Disabled' } }], minus: [] }
const relisted: Entry = { position: 3, cursor: 'c', kind: 'channel-acls-changed', channelKey: 1, channelLists: lists, payload: '{}' }
const later = (entry: Entry): Entry => ({ ...entry, position: 9 })
const whisper: Entry = { ...message, access: { lists: { plus: [{ privilege: 'read_message', selector: { kind: 'admin' } }], minus: [] } } }

it.each<[string, Entry[], Entry, 'withheld' | 'uncertain' | 'told']>([
  ['a message before other lists of its channel', [relisted], message, 'uncertain'],
  ['one behind them', [relisted], later(message), 'told'],
  ['one before a disabling in a channel with lists, which may say that it reads on', [{ ...standing('disabled'), channelLists: lists }], message, 'uncertain'],
  ['one behind it', [{ ...standing('disabled'), channelLists: lists }], later(message), 'told'],
  ['one behind a disabling and lists that came after it', [standing('disabled'), { ...relisted, position: 4 }], later(message), 'told'],
  ['one behind a disabling alone', [standing('disabled')], later(message), 'withheld'],
  ['a whisper to admins before another standing of its reader', [standing('active')], whisper, 'uncertain'],
  ['a message before other lists of its own', [{ ...message, position: 4, kind: 'message-updated', access: { before: {} } }], message, 'uncertain'],
  ['another message before them', [{ ...message, position: 4, messageId: 'message-2', kind: 'message-updated', access: { before: {} } }], message, 'told'],
  ['a whisper before other lists of its own', [{ ...whisper, position: 4, kind: 'message-updated', access: { before: {} } }], whisper, 'uncertain'],
  ['its own standing before all of that', [relisted, standing()], later(standing('active')), 'told']
])('where access control lists decide: %s', (_what, news, entry, expected) => {
  const withdrawn = new Withdrawn({ of: 'user', userId: 'amy' })
  for (const one of news) withdrawn.note(one)
  expect(withdrawn.isUncertain(entry) ? 'uncertain' : withdrawn.has(entry) ? 'withheld' : 'told').toBe(expected)
})
