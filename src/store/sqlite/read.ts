/**
 * What reads ask (core/read/queries.ts), answered by one connection, each on the snapshot that it finds.
 * test/store/query-plans.test.ts reads the plan of every statement and fails where one scans a table that
 * grows: the cost of a read does not depend on how much there is.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { Queries } from '../core/read/queries.ts'
import { dueQueries, dueSql } from './read-due.ts'
import { entityQueries, entitySql } from './read-entities.ts'
import { logQueries, logSql } from './read-log.ts'
import { prepareAll } from './statements.ts'

export const readSql = { ...entitySql, ...logSql, ...dueSql }

export function sqliteQueries (db: DatabaseSync): Queries {
  const sql = prepareAll(db, readSql)
  return { ...entityQueries(sql), ...logQueries(sql), ...dueQueries(sql) }
}
