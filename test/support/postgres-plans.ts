/**
 * How PostgreSQL would carry out statements of the store, and whether what that costs grows with a table. The plans are those
 * that the service's own sessions get: planned once, for whatever parameters come.
 */
import { loadSql } from '../../src/store/postgres/load.ts'
import { readSql } from '../../src/store/postgres/read.ts'
import { addressesOf, SCHEMA, Session } from '../../src/store/postgres/session.ts'
import { SEEK } from '../../src/store/postgres/sessions.ts'
import { writeSql } from '../../src/store/postgres/write.ts'

/** A node of a plan, as `explain (format json)` has it. */
interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Index Cond'?: string
  Filter?: string
  'Join Filter'?: string
  'Sort Key'?: string[]
  'Subplan Name'?: string
  'CTE Name'?: string
  Plans?: PlanNode[]
}

interface Index {
  table: string
  columns: string[]
  unique: boolean
  /** Has a condition: it holds some of its table's rows. */
  partial: boolean
}

/** They have a few rows, whatever happens. */
const SMALL = new Set(['meta', 'counters'])

/** What may be found, and passed over, because it is not much: by the index that it is found by. */
const FEW: Record<string, string[]> = {
  // What one member has been in one channel, within the retention time.
  intervals_pkey: ['(until_position IS NULL)'],
  // Channels that were deleted before the retention time: their messages and members were taken away soon after.
  channels_deleted: ['((erasing = 0) AND (closing = 0))'],
  // Whom one message was for.
  audiences_at: ['((given.channel_key = channel_key) AND (given.class = class) AND (given.user_key = user_key))', '(user_key = 0)'],
  // The lists that a message was sent with.
  message_acls_pkey: ['(from_position > message_position)'],
  // Times that a channel was emptied.
  entries_truncations: ['EXISTS(SubPlan 2)'],
  // Of what is about a user, what is in other channels: this index is taken where that is little, and where it is not, one of both.
  entries_about_user: ['(channel_key = $2)'],
  // The same of events of a timeline, by their type.
  entries_of_timeline: ['(timeline_type = $2)'],
  entries_of_message: ['(timeline_type = $2)'],
  // Keys that are told apart by more than a number of 53 bits.
  replies_by_lookup: ['(((given.actor)::text = actor) AND ((given.key)::text = key))'],
  // What a caller has asked for of a user's channels.
  channels_living: ["((($3 = 1) OR (system_channel = 0)) AND (($4 = ''::text) OR (ruleset = $5)))"],
  channels_closing: ["((($2 = 1) OR (system_channel = 0)) AND (($3 = ''::text) OR (ruleset = $4)))"]
}
/** The same of joins. Rulesets: there are four. */
const FEW_JOINED = ['((rulesets.value)::text = c.ruleset)', '(counters.name = (given.name)::text)']

/** Every statement of the store, by name. */
export const statements: Record<string, string> = Object.fromEntries(Object.entries({ load: loadSql, read: readSql, write: writeSql })
  .flatMap(([part, texts]) => Object.entries(texts).map(([name, text]): [string, string] => [`${part}.${name}`, text])))

export class Plans {
  readonly #session: Session
  readonly #indices: Map<string, Index>

  private constructor (session: Session, indices: Map<string, Index>) {
    this.#session = session
    this.#indices = indices
  }

  /** Of a database that has the store's tables. */
  static async open (url: string): Promise<Plans> {
    const session = await Session.open(addressesOf(url)[0]!, { name: 'plans', settings: SEEK })
    const rows = await session.run(`select c.relname as name, cast(cast(i.indrelid as regclass) as text) as table, i.indisunique as unique, i.indpred is not null as partial,
        (select string_agg(pg_get_indexdef(i.indexrelid, n, true), ' ' order by n) from generate_series(1, i.indnkeyatts) n) as columns
      from pg_index i join pg_class c on c.oid = i.indexrelid where c.relnamespace = $1::regnamespace`, [SCHEMA]) as Array<Omit<Index, 'columns'> & { name: string, columns: string }>
    return new Plans(session, new Map(rows.map(({ name, columns, ...index }) => [name, { ...index, columns: columns.split(' ') }])))
  }

  async close (): Promise<void> {
    await this.#session.close()
  }

  /** What grows with a table, in words; empty: every row is found by an index. `lines`: the plan, as text. */
  async look (sql: string): Promise<{ faults: string[], lines: string[] }> {
    const parameters = new Set(sql.match(/\$\d+/g)).size
    const execute = `execute looked_at${parameters === 0 ? '' : `(${new Array<string>(parameters).fill('null').join()})`}`
    await this.#session.exec(`prepare looked_at as ${sql}`)
    try {
      const [row] = await this.#session.exec(`explain (format json) ${execute}`) as Array<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>
      const text = await this.#session.exec(`explain (costs off) ${execute}`) as Array<{ 'QUERY PLAN': string }>
      return { faults: this.#faultsOf(row!['QUERY PLAN'][0].Plan, new Map()), lines: text.map(row => row['QUERY PLAN']) }
    } finally {
      await this.#session.exec('deallocate looked_at')
    }
  }

  /** @param named common table expressions, by name */
  #faultsOf (node: PlanNode, named: Map<string, PlanNode>): string[] {
    for (const child of node.Plans ?? []) {
      const name = /^CTE (.*)$/.exec(child['Subplan Name'] ?? '')?.[1]
      if (name !== undefined) named.set(name, child)
    }
    const faults = (node.Plans ?? []).flatMap(child => this.#faultsOf(child, named))
    const fault = this.#faultOf(node, named)
    return fault === undefined ? faults : [...faults, fault]
  }

  #faultOf (node: PlanNode, named: Map<string, PlanNode>): string | undefined {
    const { 'Node Type': type, 'Relation Name': table, 'Index Name': index, 'Index Cond': condition, Filter: filter, 'Join Filter': joinFilter } = node
    if (table !== undefined && SMALL.has(table)) return undefined
    switch (type) {
      case 'Seq Scan': return `reads all of ${table}`
      case 'Index Scan':
      case 'Index Only Scan': {
        if (condition === undefined) return this.#indices.get(index!)!.partial && filter === undefined ? undefined : `reads all of ${index}`
        // What is found and not wanted may be the whole table; where one row was looked for by its key, it is none, unless it should have been by another.
        if (filter === undefined || FEW[index!]?.includes(filter) || (this.#isKey(index!, condition) && !/ = \(?\$/.test(filter))) return undefined
        return `looks into ${index}, and passes over what is not: ${filter}`
      }
      case 'Bitmap Index Scan': return condition === undefined ? `reads all of ${index}` : undefined
      case 'Bitmap Heap Scan': return filter === undefined ? undefined : `looks into ${table}, and passes over what is not: ${filter}`
      case 'Sort':
      case 'Incremental Sort': return this.#isBounded(node, named) ? undefined : `sorts by ${node['Sort Key']?.join(', ')} whatever it finds`
      case 'Hash': return this.#isBounded(node, named) ? undefined : 'puts whatever it finds into a hash table'
      case 'Nested Loop': return joinFilter === undefined || FEW_JOINED.includes(joinFilter) ? undefined : `joins what is not: ${joinFilter}`
      default: return undefined
    }
  }

  /** One row is looked for, or one for each of what is asked for. */
  #isKey (name: string, condition: string): boolean {
    const { table } = this.#indices.get(name)!
    const isGiven = (column: string) => condition.includes(`(${column} = `)
    return [...this.#indices.values()].some(index => index.table === table && index.unique && index.columns.every(isGiven))
  }

  /** It yields no more rows than the statement asks for: parameters, or a limit, say how many. */
  #isBounded (node: PlanNode, named: Map<string, PlanNode>): boolean {
    const { 'Node Type': type, 'Index Name': index, 'Index Cond': condition, Plans: all = [] } = node
    // What is computed for a row adds none.
    const children = all.filter(child => child['Subplan Name'] === undefined)
    switch (type) {
      case 'Limit':
      case 'Function Scan':
      case 'Result': return true
      case 'Index Scan':
      case 'Index Only Scan': return condition !== undefined && this.#isKey(index!, condition)
      case 'Seq Scan': return SMALL.has(node['Relation Name']!)
      case 'CTE Scan': return named.has(node['CTE Name']!) && this.#isBounded(named.get(node['CTE Name']!)!, named)
      // A step of a recursion, up to some depth.
      case 'WorkTable Scan': return / < \$\d+\)$/.test(node.Filter ?? '')
      default: return children.length > 0 && children.every(child => this.#isBounded(child, named))
    }
  }
}
