/** Each cell of decisions.txt once more, over HTTP: asked of `GET …/access`, and of the application's privileges, which it does not tell, tried. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { SYSTEM } from '../../src/rules/identifiers.ts'
import { credentials, GROUP_CHAT, startService, type CallOptions, type Service } from '../http/service.ts'
import { CHANNEL, columns, tables, type Table } from './decisions.ts'

const MESSAGE = 'message-1'
const users = columns.filter(name => name !== SYSTEM)
const status: Record<string, string> = { pending: 'pending', active: 'active', muted: 'muted', disabled: 'disabled', admin: 'active' }

let service: Service
beforeAll(async () => {
  service = await startService(users)
  const participation = [
    { participantId: 'active' }, { participantId: 'muted', participationStatus: 'ReadOnly' }, { participantId: 'disabled', participationStatus: 'Disabled' },
    { participantId: 'admin', roles: ['admin'] }, { participantId: 'left' }
  ]
  await made('POST /v1/channels', { body: { channelId: CHANNEL, defaultRuleSet: GROUP_CHAT, groupType: 'strict_private', participation } })
  await made(`POST /v1/channels/${CHANNEL}/participants`, { as: 'pending', body: { participantId: 'pending' } })
  await made(`POST /v1/channels/${CHANNEL}/messages`, { as: 'left', body: { messageId: MESSAGE, textPayload: 'Farewell' } })
  await made(`DELETE /v1/channels/${CHANNEL}/participants/me`, { as: 'left' })
})
afterAll(() => service.stop())

/** The answer's JSON, of a call that succeeds. */
async function made (request: string, options?: CallOptions): Promise<any> {
  const { statusCode, body } = await service.call(request, options)
  if (statusCode !== 200 && statusCode !== 204) throw new Error(`${request}: ${statusCode} ${body}`)
  return body === '' ? undefined : JSON.parse(body)
}

/** Sets the lists of a row: `none`, or an entry without its privilege, as `+user(active)`. */
async function setLists ({ kind, privilege }: Table, row: string): Promise<void> {
  const entity = kind === 'application' ? `applications/${credentials.applicationId}` : kind === 'channel' ? `channels/${CHANNEL}` : `messages/${MESSAGE}`
  await made(`PATCH /v1/${entity}/acls`, { body: { patchType: 'Set', setAcls: row === 'none' ? null : entryOf(privilege, row, row[0]) } })
}

const entryOf = (privilege: string, row: string, sign = ''): string => `${sign}${privilege}:${row.slice(1)}`

/** The group type lets an active admin moderate, whatever lists say. */
const expected = ({ privilege }: Table, column: string, cell: string): string =>
  privilege === 'modify_channel_participation' && column === 'admin' ? '+ group-type' : cell

const rows = (kinds: Array<Table['kind']>) => tables().filter(({ kind }) => kinds.includes(kind)).map(table => [table.title, table] as const)

it.each(rows(['channel', 'message']))('%s: as it is told', async (_, table) => {
  for (const [row, cells] of table.rows) {
    await setLists(table, row)
    const told = await Promise.all(columns.map(async column => {
      const who = column === SYSTEM ? '' : `&userId=${column}`
      const of = table.kind === 'message' ? `&messageId=${MESSAGE}` : ''
      return await made(`GET /v1/channels/${CHANNEL}/access?privilege=${table.privilege}${of}${who}`)
    }))
    expect(told.map(({ allowed, because }) => `${allowed ? '+' : '-'} ${because.rule}`), row).toEqual(cells.map((cell, index) => expected(table, columns[index]!, cell)))
    expect(told.map(({ because }) => because.status), row).toEqual(columns.map(column => status[column]))
    for (const { because: { rule, entry } } of told) if (rule === 'own-entry' || rule === 'minus-entry') expect(entry).toBe(entryOf(table.privilege, row))
  }
  await setLists(table, 'none')
})

const calls: Record<string, () => [request: string, body?: object]> = {
  create_channel: () => ['POST /v1/channels', { defaultRuleSet: GROUP_CHAT }],
  create_user: () => ['POST /v1/users', {}],
  list_channels: () => ['GET /v1/channels?limit=1'],
  list_user_data: () => ['GET /v1/users?limit=1'],
  modify_acl: () => [`PATCH /v1/applications/${credentials.applicationId}/acls`, { patchType: 'Diff', addAcls: {} }]
}

/** Allowed; refused by the defaults, which say nothing of privileges; or by lists, which say which is missing. */
const outcomes: Record<string, string> = { '+': 'done', '- default': 'refused', '- no-entry': 'missing', '- minus-entry': 'missing' }

it.each(rows(['application']))('%s: as it is enforced', async (_, table) => {
  for (const [row, cells] of table.rows) {
    await setLists(table, row)
    const ended = await Promise.all(columns.map(async column => {
      const [request, body] = calls[table.privilege]!()
      const response = await service.call(request, { ...(column === SYSTEM ? {} : { as: column }), ...(body === undefined ? {} : { body }) })
      if (response.statusCode < 300) return 'done'
      const { errorCode, diagnostics } = response.json()
      expect([response.statusCode, errorCode], row).toEqual([403, 'missing_privilege'])
      if (diagnostics?.missingPrivileges === undefined) return 'refused'
      expect(diagnostics.missingPrivileges).toEqual([table.privilege])
      return 'missing'
    }))
    expect(ended, row).toEqual(cells.map(cell => outcomes[cell] ?? outcomes[cell[0]!]))
  }
  await setLists(table, 'none')
})
