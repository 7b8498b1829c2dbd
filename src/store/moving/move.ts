/** Moves an embedded store into a database: copies all of it, compares, seals the one, and lets nodes start on the other. */
import { placeOf } from '../postgres/session.ts'
import { isUnavailable } from '../postgres/unavailable.ts'
import { resultCode } from '../sqlite/database.ts'
import { linesOf, sumOf, type Row, type Sum } from './rows.ts'
import { Source } from './source.ts'
import { Target, type Contents } from './target.ts'

/** What is being done, and how far that is. */
export type OnProgress = (doing: string, done: number, of: number) => void

export interface MoveOptions {
  dataDir: string
  /** `postgres://…`, of one server or of several. */
  url: string
  /** A server that may lose what it has confirmed will do. */
  allowUnsafe: boolean
  onProgress: OnProgress
}

export interface Moved {
  /** Where the store is now, without a password. */
  to: string
  epoch: string
  /** What each table came to, on both sides; undefined: it had been moved before, and only nodes were not let in yet. */
  sums: Record<string, Sum> | undefined
}

/** Why a store cannot be moved into a database, by what is in there. */
const refusals: Partial<Record<Contents, string>> = {
  all: 'The store was moved into the database already, and its directory is an older copy: start nodes on the database',
  'part of another': 'Another store is copied into the database, and that was broken off: go on with that one, or choose an empty database',
  another: 'The database is not empty, there are users, channels or events in it: choose an empty one'
}

/**
 * Everything is on disk on both sides when it resolves. Throws, in one sentence, where the store is not moved: then it is as it
 * was, and may be moved again, or used again.
 */
export async function move ({ dataDir, url, allowUnsafe, onProgress }: MoveOptions): Promise<Moved> {
  const { source, sealed } = Source.open(dataDir)
  try {
    const target = await Target.open(url, allowUnsafe)
    try {
      const { epoch } = source
      const to = placeOf(url)
      const contents = await target.look(epoch)
      if (sealed !== undefined) {
        if (contents !== 'compared' && contents !== 'all') throw sealed
        await target.release()
        return { to, epoch, sums: undefined }
      }
      const refusal = refusals[contents]
      if (refusal !== undefined) throw new Error(refusal)
      await copy(source, target, onProgress)
      const sums = await compare(source, target, onProgress)
      await target.keep(epoch)
      source.seal(to)
      await target.release()
      return { to, epoch, sums }
    } finally {
      await target.close()
    }
  } catch (err) {
    throw told(err, dataDir)
  } finally {
    source.close()
  }
}

/** Fills a database that has nothing, or a part of the store: that goes first. */
export async function copy (source: Source, target: Target, onProgress: OnProgress): Promise<void> {
  await target.begin(source.epoch, source.tables)
  for (const table of source.tables) {
    const of = source.count(table)
    await target.fill(table, counted(source.rowsOf(table), done => onProgress(`copying ${table.name}`, done, of)))
  }
  await target.finish((done, of) => onProgress('making indexes', done, of))
  onProgress('gathering statistics', 0, 1)
  await target.analyze(source.tables)
}

/** Reads both sides whole. Throws where they differ, and says in which tables. */
export async function compare (source: Source, target: Target, onProgress: OnProgress): Promise<Record<string, Sum>> {
  const sums: Record<string, Sum> = {}
  const faults: string[] = []
  for (const table of source.tables) {
    const rows = source.count(table)
    const there = await sumOf(await target.linesOf(table), done => onProgress(`comparing ${table.name}`, done, 2 * rows))
    const here = await sumOf(linesOf(source.rowsOf(table)), done => onProgress(`comparing ${table.name}`, rows + done, 2 * rows))
    if (there.rows !== rows) faults.push(`${table.name} (${rows} rows in the store, ${there.rows} in the database)`)
    else if (here.rows !== rows || here.checksum !== there.checksum) faults.push(`${table.name} (the checksum)`)
    sums[table.name] = there
  }
  if (faults.length > 0) throw new Error(`The copy differs in ${faults.join(', ')}, and nothing is sealed: see that nobody else writes to the database, and run this again`)
  return sums
}

/** How often progress is told, in rows. */
const TOLD_ROWS = 1_000

function * counted (rows: Iterable<Row>, onRows: (done: number) => void): Generator<Row> {
  let done = 0
  for (const row of rows) {
    if (done % TOLD_ROWS === 0) onRows(done)
    done++
    yield row
  }
}

/** In a sentence that says whose fault it is. */
function told (err: unknown, dataDir: string): unknown {
  const { message } = err as Error
  if (resultCode(err) !== undefined) return new Error(`The store in ${dataDir} cannot be read or sealed (${message}): see that it may be written, or restore it from a backup`, { cause: err })
  if (isUnavailable(err)) return new Error(`The database went away (${message}): nothing is lost, and the same command begins again when it is back`, { cause: err })
  if ((err as { code?: unknown }).code !== undefined) return new Error(`The database refused what it was asked (${message}): give the user of the URL the rights of an owner, or choose another database`, { cause: err })
  return err
}
