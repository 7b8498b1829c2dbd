/** What each privilege guards is really guarded by it: each of its routes, by default and by lists. */
import { beforeEach, describe, expect, it } from 'vitest'
import { privilegesOf, type Privilege } from '../../src/rules/access.ts'
import { create, join, theApp, theWorld, useStage } from '../relay/stage.ts'
import { SYSTEM } from '../relay/steps.ts'
import type { Answer } from '../relay/world.ts'
import { guarded, type Guarded } from './enforcement.ts'

useStage()

/** amy is admin of `room`, bob and cleo are in it, eve asked to join, and dan is a stranger. */
beforeEach(async () => {
  await theWorld().people('eve')
  expect(await create(SYSTEM, 'strict_private', [{ user: 'amy', admin: true }, { user: 'bob' }, { user: 'cleo' }])).toBe('200')
  expect(await join('eve')).toBe('204')
  for (const [by, message] of [['cleo', 'note'], ['bob', 'own']] as const) {
    expect((await theWorld().take({ do: 'send', by, channel: 'room', text: 'Hello', message: `${message}` })).said).toBe('200')
  }
  await setLists('application', '')
})

async function setLists (of: Guarded['of'], setAcls: string): Promise<void> {
  const world = theWorld()
  const path = of === 'application' ? `applications/${theApp().credentials.applicationId}` : of === 'channel' ? `channels/${world.id('room')}` : `messages/${world.id('note')}`
  expect((await world.call(SYSTEM, 'PATCH', `/v1/${path}/acls`, { patchType: 'Set', setAcls })).said).toBe('204')
}

/** How attempts end, by name. Where lists refused one, what they said is missing is there too. */
async function attempted ({ attempts }: Guarded, by: string): Promise<Record<string, string>> {
  const ended: Record<string, string> = {}
  for (const [name, attempt] of Object.entries(attempts)) ended[name] = outcomeOf(await attempt(theWorld(), by))
  return ended
}

function outcomeOf ({ said, status, body }: Answer): string {
  if (status === 200 || status === 204) return 'done'
  const missing = body.diagnostics?.missingPrivileges
  expect([said, body.errorCode]).toEqual([said, status === 404 ? 'entity_not_found' : 'missing_privilege'])
  return missing === undefined ? said : `${said}, missing ${missing}`
}

const each = ({ attempts }: Guarded, outcome: string) => Object.fromEntries(Object.keys(attempts).map(name => [name, outcome]))
const refusedBy = (row: Guarded): string => row.refused ?? `403, missing ${row.privilege}`
const cases = guarded.map(row => [`${row.privilege} of ${row.of === 'application' ? 'the application' : `a ${row.of}`}: ${Object.keys(row.attempts).join(', ')}`, row] as const)

/** What the application, who is no participant, does not do, or does not do as others. */
const ofParticipants: Privilege[] = ['join_channel', 'remove_self', 'send_to_channel', 'send_as_other_to_channel']

it('all privileges are here', () => {
  for (const kind of ['application', 'channel', 'message'] as const) {
    expect([...new Set(guarded.filter(({ of }) => of === kind).map(({ privilege }) => privilege))].sort()).toEqual(privilegesOf(kind).sort())
  }
})

describe.each(cases)('%s', (_, row) => {
  const { privilege, of, by } = row
  const signed = (entries: string) => [...(row.beside === undefined ? [] : [row.beside]), entries.replaceAll('P:', `${privilege}:`)].join(',')

  it('by default', async () => {
    expect(await attempted(row, by)).toEqual(each(row, row.byDefault))
  })

  const ofStranger = row.byDefaultOfStranger
  if (ofStranger !== undefined) {
    it('by default, of a stranger', async () => {
      expect(await attempted(row, 'dan')).toEqual(each(row, ofStranger))
    })
  }

  it('is for whom a plus entry names', async () => {
    await setLists(of, signed(`+P:user(${theWorld().id(by)})`))
    expect(await attempted(row, by)).toEqual(each(row, 'done'))
  })

  it('is not for others than a plus entry names', async () => {
    await setLists(of, signed(`+P:user(${theWorld().id('amy')})`))
    expect(await attempted(row, by)).toEqual(each(row, refusedBy(row)))
  })

  it('is not for whom a minus entry names, whoever else does', async () => {
    await setLists(of, signed(`+P:any_user(),-P:user(${theWorld().id(by)})`))
    expect(await attempted(row, by)).toEqual(each(row, refusedBy(row)))
  })

  if (row.byDefault === 'done') {
    it('is not for whom a minus entry names beside the default', async () => {
      await setLists(of, signed(`-P:user(${theWorld().id(by)})`))
      expect(await attempted(row, by)).toEqual(each(row, refusedBy(row)))
    })
  }

  if (!ofParticipants.includes(privilege)) {
    it('is the application\'s whatever lists say', async () => {
      await setLists(of, signed('-P:any_user()'))
      expect(await attempted(row, SYSTEM)).toEqual(each(row, 'done'))
    })
  }
})
