/** What is withheld of a page that was on its way, because of what has come since (protocol 8, promises 2 and 4). */
import { expect, it } from 'vitest'
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
