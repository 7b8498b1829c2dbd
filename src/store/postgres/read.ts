/** What reads ask (core/read/queries.ts), answered by one session, all that one read asks on one snapshot. */
import { runReadAsync, type AsyncQueries, type Read } from '../core/read/queries.ts'
import type { Sql } from '../sql/dialect.ts'
import type { Parameter } from './parameters.ts'
import { dueQueries, dueSql } from './read-due.ts'
import { entityQueries, entitySql } from './read-entities.ts'
import { logQueries, logSql } from './read-log.ts'
import type { Session } from './session.ts'

export const readSql = { ...entitySql, ...logSql, ...dueSql }

/** Runs a statement, without waiting for those that were given before. */
export type Run = <Row>(sql: Sql<Row>, ...parameters: Parameter[]) => Promise<Row[]>

/** Made once for a session: what it asks in one turn goes together. */
const queriesOf = new WeakMap<Session, AsyncQueries>()

function queriesFor (session: Session): AsyncQueries {
  const known = queriesOf.get(session)
  if (known !== undefined) return known
  const run: Run = (sql, ...parameters) => session.run(sql, parameters)
  const queries = { ...entityQueries(run), ...logQueries(run), ...dueQueries(run) }
  queriesOf.set(session, queries)
  return queries
}

/** As many round trips as it asks for, and no more: nobody waits for the beginning of a snapshot, or for its end. */
export async function readOn<T> (session: Session, read: Read<T>): Promise<T> {
  const begun = session.exec('begin isolation level repeatable read read only')
  try {
    const [, value] = await Promise.all([begun, runReadAsync(read, queriesFor(session))])
    return value
  } finally {
    if (session.isOpen) session.exec('rollback').catch(() => session.destroy())
  }
}
