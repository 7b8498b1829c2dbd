/** Decisions of src/rules/access.ts as a table: privilege by list by caller. */
import { decide, decideOfMessage, privilegeTable, type AccessLists, type Caller, type Decision, type EntityKind, type Privilege, type PrivilegeOf } from '../../src/rules/access.ts'
import { parseLists } from '../../src/rules/access-entries.ts'
import { SYSTEM } from '../../src/rules/identifiers.ts'

export const CHANNEL = 'town-square'

/** In the order of the columns. `left` has sent the message, and is in the channel no more. */
const callers: Record<string, Caller> = {
  stranger: { userId: 'stranger' },
  pending: { userId: 'pending', standing: { status: 'pending', admin: false } },
  active: { userId: 'active', standing: { status: 'active', admin: false } },
  muted: { userId: 'muted', standing: { status: 'muted', admin: false } },
  disabled: { userId: 'disabled', standing: { status: 'disabled', admin: false } },
  admin: { userId: 'admin', standing: { status: 'active', admin: true } },
  left: { userId: 'left' },
  [SYSTEM]: { userId: SYSTEM }
}

const selectors = [
  'user(stranger)', 'user(active)', 'user(left)', 'any_user()', `participant(${CHANNEL}:Active)`, `participant(${CHANNEL}:ReadOnly)`,
  `participant(${CHANNEL}:Disabled)`, `participant(${CHANNEL})`, `admin(${CHANNEL})`
]
const ofApplication = selectors.filter(selector => !selector.includes(CHANNEL))

const list = (kind: EntityKind, text: string): AccessLists | undefined =>
  parseLists(text, kind === 'application' ? { kind } : { kind, channelId: CHANNEL })

/** As in `+ own-entry`: whether, and by what. */
const cell = ({ allowed, because: { rule } }: Decision): string => `${allowed ? '+' : '-'} ${rule}`

export interface Table {
  privilege: Privilege
  kind: EntityKind
  title: string
  /** By what stands before it. */
  rows: Array<[name: string, cells: string[]]>
}

const row = (name: string, decided: (caller: Caller) => Decision): Table['rows'][number] => [name, Object.values(callers).map(caller => cell(decided(caller)))]

export const columns = Object.keys(callers)

export function tables (): Table[] {
  return (Object.keys(privilegeTable) as Privilege[]).flatMap(privilege => privilegeTable[privilege].of.map(kind => ({
    privilege,
    kind,
    title: `${privilege}, of ${kind === 'application' ? 'the application' : `a ${kind}`}`,
    rows: ['', ...(kind === 'application' ? ofApplication : selectors).flatMap(selector => [`+${privilege}:${selector}`, `-${privilege}:${selector}`])].map(text =>
      row(text === '' ? 'none' : text.replace(`${privilege}:`, ''), caller => decided(privilege, kind, text, caller)))
  })))
}

function decided (privilege: Privilege, kind: EntityKind, text: string, caller: Caller): Decision {
  const lists = list(kind, text)
  if (kind !== 'message') return decide(privilege as PrivilegeOf<'application' | 'channel'>, lists, caller)
  return decideOfMessage(privilege as PrivilegeOf<'message'>, { senderId: 'left', lists }, caller, true)
}

export function rendered (all: Table[]): string {
  return all.map(({ title, rows }) => {
    const lines = [['', ...columns], ...rows.map(([name, cells]) => [name, ...cells])]
    const widths = columns.map((_, index) => Math.max(...lines.map(line => line[index + 1]!.length)))
    const first = Math.max(...lines.map(line => line[0]!.length))
    const text = lines.map(([name, ...cells]) => [name!.padEnd(first), ...cells.map((one, index) => one.padEnd(widths[index]!))].join(' | ').trimEnd())
    return `${title}\n${'-'.repeat(title.length)}\n${text.join('\n')}\n`
  }).join('\n')
}
