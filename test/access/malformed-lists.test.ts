/** What is no list, wherever lists are given: refused with the entry that is wrong, and nothing is changed by it. */
import { beforeEach, describe, expect, it } from 'vitest'
import { carried, subscribe, theWorld, useStage } from '../relay/stage.ts'
import { SYSTEM } from '../relay/steps.ts'
import type { Answer } from '../relay/world.ts'
import type { Reader } from '../support/sse.ts'
import { applicationAcls, make, named, NOTE_ACLS, own, patch, read, ROOM_ACLS, set, tell } from './lists-calls.ts'

useStage()

const before = { room: 'send_to_channel:any_user()', note: 'read_message:any_user()', application: 'create_channel:any_user()' }

beforeEach(async () => {
  expect((await make(SYSTEM, { participation: [{ participantId: '{amy}' }], appliedAcls: `+${before.room}` })).said).toBe('200')
  expect((await tell('amy', 'Hello', { messageId: '{note}', appliedAcls: `+${before.note}` })).said).toBe('200')
  expect((await set(SYSTEM, applicationAcls(), `+${before.application}`)).said).toBe('204')
})

/** Of whichever entity: entries that none can have. */
const malformed = [
  '', 'send_to_channel', 'read_message:', 'any_user()', 'fly:any_user()', 'modify_acl:everybody()', 'modify_acl:user()', 'modify_acl:any_user', 'modify_acl:any_user(x)',
  'modify_acl:user({amy}) ', '+modify_acl:any_user()', `modify_acl:user(${'x'.repeat(600)})`, 'modify_acl:participant(another-room)', 'modify_acl:admin(another-room)',
  'modify_acl:participant({room}:active)', 'modify_acl:participant({room}:Active:Active)', 'modify_acl:admin({room}:Active)'
]

interface Place {
  /** Entries that this entity in particular cannot have. */
  foreign: string[]
  give: (appliedAcls: unknown) => Promise<Answer>
}

const places: Record<string, Place> = {
  'a channel\'s lists, set': { foreign: ['read_message:any_user()', 'create_channel:any_user()'], give: async lists => await set(SYSTEM, ROOM_ACLS, lists) },
  'a channel\'s lists, added': { foreign: ['delete_message:any_user()'], give: async addAcls => await patch(SYSTEM, ROOM_ACLS, { patchType: 'Diff', addAcls }) },
  'a channel\'s lists, removed': { foreign: ['list_channels:any_user()'], give: async removeAcls => await patch(SYSTEM, ROOM_ACLS, { patchType: 'Diff', removeAcls }) },
  'a message\'s lists, set': { foreign: ['send_to_channel:any_user()'], give: async lists => await set(SYSTEM, NOTE_ACLS, lists) },
  'the application\'s lists, set': {
    foreign: ['send_to_channel:any_user()', 'create_channel:participant({room})', 'create_user:admin({room})'], give: async lists => await set(SYSTEM, applicationAcls(), lists)
  },
  'a new channel\'s': { foreign: ['read_message:any_user()'], give: async appliedAcls => await make('amy', { channelId: '{made}', appliedAcls }) },
  'a new message\'s': { foreign: ['send_to_channel:any_user()'], give: async appliedAcls => await tell('amy', 'Hello', { messageId: '{made}', appliedAcls }) }
}

/** That no call changed anything, or was told of. */
async function nothingChanged (reader: Reader): Promise<void> {
  expect(await own(ROOM_ACLS)).toEqual({ plusAppliedAcls: [before.room], minusAppliedAcls: [] })
  expect(await own(NOTE_ACLS)).toEqual({ plusAppliedAcls: [before.note], minusAppliedAcls: [] })
  expect(await own(applicationAcls())).toEqual({ plusAppliedAcls: [before.application], minusAppliedAcls: [] })
  for (const path of ['/v1/channels/{made}', '/v1/messages/{made}']) expect((await read(SYSTEM, path)).status).toBe(404)
  expect(await carried(reader)).toEqual([[]])
}

describe.each(Object.entries(places))('%s', (name, { foreign, give }) => {
  it('hold entries that are well-formed', async () => {
    const reader = await subscribe('amy')
    for (const entry of [...malformed, ...foreign]) {
      for (const lists of [{ plusAppliedAcls: [entry] }, { plusAppliedAcls: ['modify_acl:user({amy})'], minusAppliedAcls: [entry] }]) {
        const { status, body } = await give(lists)
        expect([status, body?.errorCode], entry).toEqual([400, 'invalid_domain_attribute'])
        expect(JSON.stringify(body.diagnostics), entry).toMatch(/"(entry|field)":/)
        if (entry.length < 200) expect(body.diagnostics, entry).toMatchObject({ entry: named(entry) })
      }
    }
    await nothingChanged(reader)
  })

  it('are lists of strings, or one string of signed entries', async () => {
    const reader = await subscribe('amy')
    for (const lists of [
      5, true, [], ['modify_acl:any_user()'], { plusAppliedAcls: 'modify_acl:any_user()' }, { plusAppliedAcls: [5] }, { minusAppliedAcls: [null] }, { plusAppliedAcls: {} },
      'modify_acl:any_user()', '+modify_acl:any_user(),modify_acl:any_user()', '++modify_acl:any_user()', '+-modify_acl:any_user()', '+', `+${'x'.repeat(300)}`
    ]) {
      const { status, body } = await give(lists)
      expect([status, body?.errorCode], JSON.stringify(lists)).toEqual([400, 'invalid_domain_attribute'])
    }
    await nothingChanged(reader)
  })

  it('have 64 entries at most, on both sides together', async () => {
    const reader = await subscribe('amy')
    const users = Array.from({ length: 65 }, (_, number) => `user-${number}`)
    const entries = users.map(userId => `modify_acl:user(${userId})`)
    for (const lists of [{ plusAppliedAcls: entries }, { plusAppliedAcls: entries.slice(0, 40), minusAppliedAcls: entries.slice(40) }, entries.map(entry => `-${entry}`).join(',')]) {
      const { status, body } = await give(lists)
      expect([status, body?.errorCode]).toEqual([400, 'invalid_domain_attribute'])
    }
    await nothingChanged(reader)
  })

  it('name users who are there', async () => {
    const reader = await subscribe('amy')
    const entry = 'modify_acl:user(not-there)'
    const { status, body } = await give({ minusAppliedAcls: [entry] })
    // Nobody who is not there can be taken out.
    if (name.endsWith('removed')) expect(status).toBe(204)
    else expect([status, body.errorCode, body.diagnostics.entry]).toEqual([404, 'entity_not_found', entry])
    await nothingChanged(reader)
  })
})

it('a change is a Set or a Diff', async () => {
  const reader = await subscribe('amy')
  for (const body of [{}, { setAcls: '' }, { patchType: 'set', setAcls: '' }, { patchType: 5 }, { patchType: null, setAcls: '' }, [], 'Set']) {
    for (const path of [ROOM_ACLS, NOTE_ACLS, applicationAcls()]) {
      const { status, body: { errorCode } } = await patch(SYSTEM, path, body as object)
      expect([status, errorCode], JSON.stringify(body)).toEqual([400, 'invalid_domain_attribute'])
    }
  }
  await nothingChanged(reader)
})

it('a Diff leaves 64 entries at most', async () => {
  const reader = await subscribe('amy')
  const names = Array.from({ length: 64 }, (_, number) => `user-${number}`)
  await theWorld().people(...names)
  const plusAppliedAcls = names.map(name => `send_to_channel:user({${name}})`)
  const { status, body } = await patch(SYSTEM, ROOM_ACLS, { patchType: 'Diff', addAcls: { plusAppliedAcls } })
  expect([status, body.errorCode, body.diagnostics.entries]).toEqual([400, 'invalid_domain_attribute', 65])
  await nothingChanged(reader)
  expect((await patch(SYSTEM, ROOM_ACLS, { patchType: 'Diff', addAcls: { plusAppliedAcls }, removeAcls: `+${before.room}` })).said).toBe('204')
})
