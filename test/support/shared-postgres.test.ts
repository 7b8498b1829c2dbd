import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { expect, it } from 'vitest'
import { sharedDatabase } from './shared-postgres.ts'

const directory = () => mkdtemp(join(tmpdir(), 'channel-relay-shared-'))

async function query (url: string, statement: string) {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return [...await sql.unsafe(statement)]
  } finally {
    await sql.end()
  }
}

it('gives each data directory a database, the same one again, until the directory is gone', async () => {
  const [one, other, another] = [await directory(), await directory(), await directory()]
  try {
    const [url, otherUrl] = await Promise.all([sharedDatabase(one), sharedDatabase(other), sharedDatabase(one)])
    await query(url, 'create table here (id int)')
    expect(await sharedDatabase(one)).toBe(url)
    await expect(query(otherUrl, 'select * from here')).rejects.toThrow('does not exist')
    await rm(one, { recursive: true })
    await sharedDatabase(another)
    await expect(query(url, 'select 1')).rejects.toThrow('does not exist')
  } finally {
    for (const path of [other, another]) await rm(path, { recursive: true })
  }
})
