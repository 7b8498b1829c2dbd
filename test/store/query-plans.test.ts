/**
 * The cost of a command does not depend on how much there is: every statement of the embedded store finds
 * its rows by an index, in the order in which it wants them.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWriter } from '../../src/store/sqlite/database.ts'
import { loadSql } from '../../src/store/sqlite/load.ts'
import { readSql } from '../../src/store/sqlite/read.ts'
import { writeSql } from '../../src/store/sqlite/write.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-plans-'))
let db: DatabaseSync
beforeAll(() => { db = openWriter(dataDir) })
afterAll(() => {
  db.close()
  rmSync(dataDir, { recursive: true })
})

function planOf (sql: string): string[] {
  const rows = db.prepare(`explain query plan ${sql}`).all(...new Array<number>(sql.split('?').length - 1).fill(1))
  return rows.map(row => String(row.detail))
}

/** A scan, or a sort of what was found: both grow with the table. A list within a row, read as a table, is short, and so are two (`named`). */
const grows = (line: string) => /^SCAN (?!CONSTANT ROW)(?!\w+ VIRTUAL TABLE)(?!named$)/.test(line) || /USE TEMP B-TREE/.test(line)

describe('every statement of the embedded store seeks', () => {
  it.each([loadSql, readSql, writeSql].flatMap(sql => Object.entries(sql)))('%s', (_name, sql) => {
    expect(planOf(sql).filter(grows)).toEqual([])
  })

  it('and a scan would be seen', () => {
    expect(planOf('select count(*) from entries where body = ?').filter(grows)).toHaveLength(1)
    expect(planOf('select body from entries where channel_key = ? and lane = 0 order by body').filter(grows)).toHaveLength(1)
  })
})
