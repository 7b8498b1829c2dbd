/** The database that an embedded store is copied into. */
import { setTimeout as sleep } from 'node:timers/promises'
import { COPY_MARK, copyMark, isMade, migrate, mustBeUsable } from '../postgres/database.ts'
import { locks } from '../postgres/locks.ts'
import { addressesOf, SCHEMA, Session } from '../postgres/session.ts'
import { Unusable } from '../postgres/sessions.ts'
import { yields } from '../sql/dialect.ts'
import { linesOf, type Row, type Table } from './rows.ts'

/** How long to wait for another copy, or for nodes, that are just ending, in milliseconds. */
const ENDING_MS = 3_000
const LOOK_MS = 100

const NAME = 'channel-relay moves'

/** Rows, and indexes, take as long as they take, whatever the server allows others. */
const settings = { lock_timeout: ENDING_MS, statement_timeout: 0, idle_in_transaction_session_timeout: 0 }

/** Rows that belong to the database, and not to what is kept in it. */
const ownRows = `'schema', '${COPY_MARK}'`

const sql = {
  /** As batches have it (../postgres/transactions.ts). */
  synced: 'select set_config(\'synchronous_commit\', case current_setting(\'synchronous_commit\') when \'remote_apply\' then \'remote_apply\' else \'on\' end, false)',
  nodes: yields<{ count: number }>(`select count(*) as count from pg_stat_activity
    where datname = current_database() and application_name like 'channel-relay %' and application_name <> '${NAME}'`),
  isUsed: yields<{ used: boolean }>(`select exists (select from users where user_key > 0) or exists (select from channels) or exists (select from entries)
    or exists (select from meta where (name = 'floor_position' and value <> '0') or name = 'application_acls') as used`),
  epoch: yields<{ value: string }>('select value from meta where name = \'epoch\''),
  indexes: yields<{ name: string, text: string }>(`select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as text from pg_index i
    join pg_class c on c.oid = i.indexrelid where c.relnamespace = to_regnamespace('${SCHEMA}')
    and not exists (select from pg_constraint where conindid = i.indexrelid) order by i.indrelid, name`),
  tables: yields<{ name: string }>(`select quote_ident(tablename) as name from pg_tables where schemaname = '${SCHEMA}'`),
  nextReply: 'select setval(pg_get_serial_sequence(\'replies\', \'reply_id\'), coalesce(max(reply_id), 0) + 1, false) from replies'
}

/** Of a database: nothing that would be lost, all of a store, all of it and nodes are not let in yet, a part of it, or whatever else. */
export type Contents = 'nothing' | 'all' | 'compared' | 'part' | 'part of another' | 'another'

export class Target {
  readonly #session: Session
  #indexes: string[] = []

  private constructor (session: Session) {
    this.#session = session
  }

  /** Throws, in one sentence, where no server can be used. */
  static async open (url: string, allowUnsafe: boolean): Promise<Target> {
    let failure: unknown
    for (const address of addressesOf(url)) {
      let session: Session | undefined
      try {
        session = await Session.open(address, { name: NAME, settings })
        await mustBeUsable(session, allowUnsafe)
        await session.run(sql.synced)
        return new Target(session)
      } catch (err) {
        session?.destroy()
        if (err instanceof Unusable) throw err
        failure ??= err
      }
    }
    throw new Error(`No database can be used (${(failure as Error).message}): start it, or correct the URL`, { cause: failure })
  }

  /** What is in it. Nobody else copies anything into it from now on, until this is closed. */
  async look (epoch: string): Promise<Contents> {
    await this.#takeAlone()
    if (!await isMade(this.#session)) return 'nothing'
    const mark = await copyMark(this.#session)
    if (mark !== undefined) return mark.epoch !== epoch ? 'part of another' : mark.isCompared ? 'compared' : 'part'
    const [own] = await this.#session.run(sql.epoch)
    if (own!.value === epoch) return 'all'
    return await this.#isUsed() ? 'another' : 'nothing'
  }

  async #takeAlone (): Promise<void> {
    try {
      await this.#session.run('select pg_advisory_lock($1)', [locks.copy])
    } catch (err) {
      if ((err as { code?: string }).code !== '55P03') throw err
      throw new Error('Another "npm run migrate" is at work on the database, or one that was broken off has not ended there: wait for it to end', { cause: err })
    }
  }

  async #isUsed (): Promise<boolean> {
    const [row] = await this.#session.run(sql.isUsed)
    return row!.used
  }

  /** Marks it as one that is not whole, and makes room: whatever was there before goes. */
  async begin (epoch: string, tables: Table[]): Promise<void> {
    const session = this.#session
    if (await isMade(session) && (await copyMark(session))?.epoch === epoch) await this.#drop()
    await migrate(session)
    await this.#mark(epoch)
    const indexes = await session.run(sql.indexes)
    this.#indexes = indexes.map(({ text }) => text)
    await session.exec(`begin;
      drop index ${indexes.map(({ name }) => name).join(', ')};
      truncate ${tables.map(({ name }) => name).filter(name => name !== 'meta').join(', ')};
      delete from meta where name not in (${ownRows});
      commit`)
  }

  /** All that there is of a copy that was broken off, whatever version has made it. */
  async #drop (): Promise<void> {
    const tables = await this.#session.run(sql.tables)
    await this.#session.exec(`drop table ${tables.map(({ name }) => name).join(', ')}`)
  }

  /** A node that starts has a session before it looks for the mark: either it finds the mark, or it is found. */
  async #mark (epoch: string): Promise<void> {
    const session = this.#session
    for (const giveUpAt = performance.now() + ENDING_MS; ; await sleep(LOOK_MS)) {
      await session.exec('begin')
      await session.run('select pg_advisory_xact_lock($1)', [locks.schema])
      const [nodes] = await session.run(sql.nodes)
      const used = await this.#isUsed()
      if (nodes!.count === 0 && !used) break
      await session.exec('rollback')
      if (used || performance.now() > giveUpAt) throw new Error('A service runs on the database: stop it, and start it again when the store is there')
    }
    await session.run('insert into meta (name, value) values ($1, $2)', [COPY_MARK, epoch])
    await session.exec('commit')
  }

  async fill ({ name, columns }: Table, rows: Iterable<Row>): Promise<void> {
    await this.#session.copyIn(`copy ${name} (${columns.join(', ')}) from stdin`, linesOf(rows))
  }

  /** When all rows are there: what they are found by. */
  async finish (onIndex: (made: number, of: number) => void): Promise<void> {
    for (const [nth, text] of this.#indexes.entries()) {
      onIndex(nth, this.#indexes.length)
      await this.#session.exec(text)
    }
    await this.#session.run(sql.nextReply)
  }

  /** Tells the server how rows are spread; it must not wait for that to find out by itself. */
  async analyze (tables: Table[]): Promise<void> {
    await this.#session.exec(`vacuum (analyze) ${tables.map(({ name }) => name).join(', ')}`)
  }

  /** Its rows in the order of the key, as `linesOf` has them, in pieces of whatever size. */
  async linesOf ({ name, columns, key }: Table): Promise<AsyncIterable<Uint8Array>> {
    const own = name === 'meta' ? `where name not in (${ownRows})` : ''
    return await this.#session.copyOut(`copy (select ${columns.join(', ')} from ${name} ${own} order by ${key.join(', ')}) to stdout`)
  }

  /** All is there, and safe: the store may be sealed. */
  async keep (epoch: string): Promise<void> {
    const { warnings } = this.#session
    await this.#session.run('update meta set value = $1 where name = $2', [`${epoch} compared`, COPY_MARK])
    if (this.#session.warnings > warnings) throw new Error('The database did not wait for the standby that is to have everything, and nothing is sealed: see what it says, and run this again')
  }

  /** It is whole: nodes may start on it. */
  async release (): Promise<void> {
    await this.#session.run('delete from meta where name = $1', [COPY_MARK])
  }

  async close (): Promise<void> {
    await this.#session.close()
  }
}
