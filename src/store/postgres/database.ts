/** What a database must be, and its schema. */
import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { yields } from '../sql/dialect.ts'
import { locks } from './locks.ts'
import { SCHEMA, type Session } from './session.ts'
import { Unusable } from './sessions.ts'

const migrationsDir = join(import.meta.dirname, 'migrations')
const files = readdirSync(migrationsDir).filter(name => name.endsWith('.sql')).sort()

/** Of PostgreSQL: as the server tells it. */
const LEAST_VERSION = 150_000

interface ServerRow {
  version: number
  fsync: string
  full_page_writes: string
  standby: boolean
  read_only: string
  encoding: string
}

const server = yields<ServerRow>(`select cast(current_setting('server_version_num') as integer) as version, current_setting('fsync') as fsync,
  current_setting('full_page_writes') as full_page_writes, pg_is_in_recovery() as standby, current_setting('transaction_read_only') as read_only,
  current_setting('server_encoding') as encoding`)

/**
 * Throws `Unusable`, in one sentence, where the server must not be used; another error where it cannot be now, as one that
 * follows another.
 */
export async function mustBeUsable (session: Session, allowUnsafe: boolean): Promise<void> {
  const [found] = await session.run(server)
  const { version, fsync, full_page_writes: fullPages, standby, read_only: readOnly, encoding } = found!
  if (version < LEAST_VERSION) throw new Unusable(`DATABASE_URL names a PostgreSQL of version ${Math.floor(version / 10_000)}: version ${LEAST_VERSION / 10_000} is the least that will do`)
  const unsafe = fsync === 'off' ? 'fsync' : fullPages === 'off' ? 'full_page_writes' : undefined
  if (unsafe !== undefined && !allowUnsafe) {
    throw new Unusable(`The database of DATABASE_URL runs with ${unsafe} = off and loses messages when its machine fails: set ${unsafe} = on there, or DATABASE_ALLOW_UNSAFE=true here`)
  }
  if (encoding !== 'UTF8') throw new Unusable(`The database of DATABASE_URL has the encoding ${encoding} and cannot hold all texts: make one with encoding 'UTF8'`)
  if (standby || readOnly === 'on') throw new Error('the database cannot be written to: it follows another one')
}

/**
 * Makes the tables, or brings them to this version, all in one transaction. Of nodes that start at once one does it, and the others wait.
 * @throws Unusable where a newer version has done so
 */
export async function migrate (session: Session): Promise<void> {
  await session.exec('begin')
  try {
    await session.run('select pg_advisory_xact_lock($1)', [locks.schema])
    const done = await migrationsDone(session)
    if (done < files.length) {
      if (!await exists(session, 'to_regnamespace', SCHEMA)) await session.exec(`create schema ${SCHEMA}`) // its owner may not be allowed to make any
      for (const file of files.slice(done)) await session.exec(readFileSync(join(migrationsDir, file), 'utf8'))
      if (done === 0) await makeHistory(session)
      await session.exec(`insert into meta (name, value) values ('schema', '${files.length}') on conflict (name) do update set value = excluded.value`)
    }
    await session.exec('commit')
  } catch (err) {
    await session.exec('rollback').catch(() => {})
    throw err
  }
}

/** The row of `meta` that is there while an embedded store is copied (../moving): its epoch, and `compared` behind it when all is there. */
export const COPY_MARK = 'copy_of'

/** Throws `Unusable` where an embedded store was to be copied, and nodes are not let in yet. */
export async function mustBeWhole (session: Session): Promise<void> {
  if (await copyMark(session) === undefined) return
  throw new Unusable('The database of DATABASE_URL has an embedded store copied into it, and not all of it is there: wait for "npm run migrate" to end, or, where it was broken off, run it again')
}

/** Of the embedded store whose copy has not ended; undefined: there is none. */
export async function copyMark (session: Session): Promise<{ epoch: string, isCompared: boolean } | undefined> {
  const [row] = await session.run(yields<{ value: string }>('select value from meta where name = $1'), [COPY_MARK])
  if (row === undefined) return undefined
  const [epoch, compared] = row.value.split(' ')
  return { epoch: epoch!, isCompared: compared !== undefined }
}

/** Whether the tables were made. */
export async function isMade (session: Session): Promise<boolean> {
  return await exists(session, 'to_regclass', `${SCHEMA}.meta`)
}

/** Whether its tables are of this version. Throws as `migrate`. */
export async function isMigrated (session: Session): Promise<boolean> {
  return await migrationsDone(session) === files.length
}

/** @throws Unusable where there are more than this version knows */
async function migrationsDone (session: Session): Promise<number> {
  if (!await isMade(session)) return 0
  const [row] = await session.run(yields<{ value: string }>('select value from meta where name = \'schema\''))
  const done = Number(row?.value ?? 0)
  if (done > files.length) {
    throw new Unusable(`The database of DATABASE_URL was written by a newer channel-relay (schema ${done}, this one knows ${files.length}): run that one`)
  }
  return done
}

async function exists (session: Session, what: 'to_regclass' | 'to_regnamespace', name: string): Promise<boolean> {
  const [row] = await session.run(yields<{ found: boolean }>(`select ${what}($1) is not null as found`), [name])
  return row!.found
}

/** A new database is a history of its own. */
async function makeHistory (session: Session): Promise<void> {
  const epoch = Array.from({ length: 12 }, () => randomInt(36).toString(36)).join('')
  await session.run('insert into meta (name, value) values ($1, $2)', ['epoch', epoch])
  await session.run('update meta set value = $1 where name = $2', [String(randomInt(2 ** 31)), 'floor_tag'])
}
