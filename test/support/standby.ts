/** Standbys: copies of a running server that follow it, as pg_basebackup would make them. */
import { randomBytes } from 'node:crypto'
import { chown, copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { startPostgres, type PostgresServer, type Settings } from './postgres.ts'

/** Directories of which a copy has the place, and not what is in it; it streams the log. */
const emptied = new Set(['pg_wal', 'pg_replslot', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots', 'pg_stat_tmp', 'pg_subtrans'])
/** Files that belong to the running server. The last is the copy's own settings. */
const left = new Set(['postmaster.pid', 'postmaster.opts', 'postgresql.auto.conf'])

/** How long a standby may take to follow, in milliseconds. */
const FOLLOW_MS = 30_000

export interface StandbyOptions {
  /** The primary then waits at each commit until this one has it on disk; another one before it counts no more. */
  synchronous?: boolean
  settings?: Settings
  /** Its own; a free one unless given. */
  port?: number
  /** Where it finds the primary: of a proxy before it. */
  primaryPort?: number
}

/**
 * A server that follows `primary`; resolves when it does. It is a primary itself from `promote()` on, on which
 * commits wait for nobody until it is given a standby.
 */
export async function createStandby (primary: PostgresServer, options: StandbyOptions = {}): Promise<PostgresServer> {
  const { synchronous = false, settings = {}, port, primaryPort = primary.port } = options
  const name = `standby_${randomBytes(4).toString('hex')}`
  const source = `host=127.0.0.1 port=${primaryPort} user=postgres password=${primary.password} application_name=${name}`
  const standby = await startPostgres({
    settings, password: primary.password, fill: to => copy(primary, to, source), ...(port === undefined ? {} : { port })
  })
  try {
    await follows(primary, name, row => row.state === 'streaming')
    if (synchronous) {
      await primary.configure({ synchronous_standby_names: name })
      await follows(primary, name, row => row.sync_state === 'sync')
    }
    return standby
  } catch (err) {
    await standby.stop()
    throw err
  }
}

/** `source`: where the copy finds what comes after it (primary_conninfo). */
async function copy (primary: PostgresServer, to: string, source: string): Promise<void> {
  // The backup is of the session that began it.
  const session = postgres(primary.url(), { max: 1, fetch_types: false })
  try {
    await session`select pg_backup_start('standby', fast => true)`
    await copyDirectory(primary.dataDirectory, to)
    const [end] = await session<Array<{ labelfile: string }>>`select labelfile from pg_backup_stop(wait_for_archive => false)`
    const { uid, gid } = await stat(to)
    const write = async (file: string, text: string) => {
      await writeFile(join(to, file), text)
      await chown(join(to, file), uid, gid)
    }
    await mkdir(join(to, 'pg_wal/archive_status'))
    await chown(join(to, 'pg_wal/archive_status'), uid, gid)
    await write('backup_label', end!.labelfile)
    await write('standby.signal', '')
    await write('postgresql.auto.conf', `primary_conninfo = '${source}'\n`)
  } finally {
    await session.end({ timeout: 1 })
  }
}

/** What vanishes meanwhile was not needed. */
async function copyDirectory (from: string, to: string): Promise<void> {
  const { uid, gid } = await stat(to)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    try {
      if (entry.isDirectory()) {
        await mkdir(target, { mode: 0o700 })
        await chown(target, uid, gid)
        if (!emptied.has(entry.name)) await copyDirectory(source, target)
      } else if (!left.has(entry.name)) {
        await copyFile(source, target)
        await chown(target, uid, gid)
      }
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code !== 'ENOENT') throw err
    }
  }
}

interface Following {
  state: string
  sync_state: string
}

async function follows (primary: PostgresServer, name: string, holds: (row: Following) => boolean): Promise<void> {
  const end = performance.now() + FOLLOW_MS
  for (;;) {
    const [row] = await primary.query<Following>(`select state, sync_state from pg_stat_replication where application_name = '${name}'`)
    if (row !== undefined && holds(row)) return
    if (performance.now() > end) throw new Error(`the standby did not follow within ${FOLLOW_MS} ms: ${JSON.stringify(row)}`)
    await delay(20)
  }
}
