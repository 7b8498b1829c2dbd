/** All rows of a database on PostgreSQL, and what is wrong with them: copied into an embedded one, of which all that can be asked (consistency.ts). */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { openWriter } from '../../src/store/sqlite/database.ts'
import { SCHEMA } from '../../src/store/postgres/session.ts'
import { stateOf } from './consistency.ts'

/** All rows, by table. */
export async function rowsOfPostgres (url: string): Promise<Record<string, unknown[]>> {
  const sql = postgres(url, { max: 1, connection: { search_path: SCHEMA } })
  try {
    const tables = await sql`select table_name as name from information_schema.tables where table_schema = ${SCHEMA} order by name` as unknown as Array<{ name: string }>
    return Object.fromEntries(await Promise.all(tables.map(async ({ name }) => [name, await sql.unsafe(`select * from ${name}`)])))
  } finally {
    await sql.end()
  }
}

export async function stateOfPostgres (url: string): Promise<ReturnType<typeof stateOf>> {
  const sql = postgres(url, { max: 1, connection: { search_path: SCHEMA }, types: { numbers: { to: 20, from: [20], serialize: String, parse: Number } } })
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-state-'))
  try {
    const db = openWriter(dataDir)
    const tables = db.prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name").all() as Array<{ name: string }>
    for (const { name } of tables) {
      db.exec(`delete from ${name}`)
      const columns = (db.prepare(`select name from pragma_table_info('${name}')`).all() as Array<{ name: string }>).map(column => column.name)
      const insert = db.prepare(`insert into ${name} (${columns.join()}) values (${columns.map(() => '?').join()})`)
      for (const row of await sql.unsafe(`select ${columns.join()} from ${name} order by ${columns.join()}`)) insert.run(...columns.map(column => row[column]))
    }
    db.close()
    return stateOf(dataDir)
  } finally {
    await sql.end()
    rmSync(dataDir, { recursive: true })
  }
}
