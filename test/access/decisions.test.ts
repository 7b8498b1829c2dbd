/** Who may do what by which list, every cell of it (src/rules/access.ts). */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decide, decideOfMessage, type AccessLists, type Caller } from '../../src/rules/access.ts'
import { parseLists } from '../../src/rules/access-entries.ts'
import { SYSTEM } from '../../src/rules/identifiers.ts'
import { rendered, tables } from './decisions.ts'

it('is decided as the table says', async () => {
  await expect(rendered(tables())).toMatchFileSnapshot(join(import.meta.dirname, 'decisions.txt'))
})

const room = { kind: 'channel', channelId: 'town-square' } as const
const ofChannel = (text: string): AccessLists | undefined => parseLists(text, room)
const ofMessage = (text: string): AccessLists | undefined => parseLists(text, { ...room, kind: 'message' })
const amy: Caller = { userId: '@amy', standing: { status: 'active', admin: false } }
const stranger: Caller = { userId: '@stranger' }

describe('several entries', () => {
  it('add up, and what is taken away is taken away whatever adds it', () => {
    const lists = ofChannel('+send_to_channel:any_user(),+send_to_channel:user(@amy),-send_to_channel:user(@amy)')
    expect(decide('send_to_channel', lists, amy)).toMatchObject({ allowed: false, because: { rule: 'minus-entry', entry: { selector: { userId: '@amy' } } } })
    expect(decide('send_to_channel', lists, stranger)).toMatchObject({ allowed: true, because: { rule: 'own-entry', entry: { selector: { kind: 'any-user' } } } })
  })

  it('for another privilege change nothing of this one, in a channel', () => {
    expect(decide('send_to_channel', ofChannel('+read_from_channel:user(@bob)'), amy)).toMatchObject({ allowed: true, because: { rule: 'default' } })
  })

  it('of a message take its defaults away, for whatever privilege they are', () => {
    const lists = ofMessage('+delete_message:user(@bob)')
    expect(decideOfMessage('read_message', { senderId: '@amy', lists }, amy, true)).toEqual({ allowed: false, because: { rule: 'no-entry' } })
    expect(decideOfMessage('delete_message', { senderId: '@amy', lists }, amy)).toMatchObject({ allowed: false })
  })
})

describe('a message', () => {
  it('is read by whom it names, wherever that is, and by classes where they may read the channel', () => {
    const closed = ofChannel('+read_from_channel:user(@bob)')
    const lists = ofMessage('+read_message:any_user(),+read_message:user(@stranger)')
    expect(decideOfMessage('read_message', { senderId: '@bob', lists, channelLists: closed }, amy)).toMatchObject({ allowed: false })
    expect(decideOfMessage('read_message', { senderId: '@bob', lists, channelLists: closed }, stranger)).toMatchObject({ allowed: true, because: { entry: { selector: { userId: '@stranger' } } } })
    expect(decideOfMessage('read_message', { senderId: '@bob', lists }, amy)).toMatchObject({ allowed: true })
  })

  it('without lists is for whoever may read the channel, and for its sender by id', () => {
    const message = { senderId: '@stranger' }
    expect(decideOfMessage('read_message', message, amy)).toMatchObject({ allowed: true, because: { rule: 'default' } })
    expect(decideOfMessage('read_message', message, stranger)).toMatchObject({ allowed: false })
    expect(decideOfMessage('read_message', message, stranger, true)).toMatchObject({ allowed: true })
    expect(decideOfMessage('read_message', message, { userId: SYSTEM })).toMatchObject({ allowed: true, because: { rule: 'application' } })
  })

  it('is taken away from its sender by id, too', () => {
    const lists = ofMessage('-read_message:user(@stranger)')
    expect(decideOfMessage('read_message', { senderId: '@stranger', lists }, stranger, true)).toMatchObject({ allowed: false, because: { rule: 'minus-entry' } })
  })
})
