/** All that is stored, in a few words: whatever is written anywhere changes them. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Service } from '../service.ts'

/** Tables apart: whoever calls signed leaves a nonce there, refused or not. */
const LEFT_OUT = ['nonces']

/** The head of the log, and a digest over the rows of each table. */
export async function storedOf (service: Service): Promise<Record<string, string>> {
  const { headers } = await service.call('GET /v1/channels?limit=1')
  const stored: Record<string, string> = { head: String(headers['x-event-cursor']) }
  const db = new DatabaseSync(join(service.dataDir, 'channel-relay.db'), { readOnly: true })
  try {
    const tables = db.prepare("select name from sqlite_schema where type = 'table' order by name").all() as Array<{ name: string }>
    for (const { name } of tables.filter(table => !LEFT_OUT.includes(table.name))) {
      const rows = db.prepare(`select * from "${name}"`).all().map(row => JSON.stringify(row)).sort()
      stored[name] = `${rows.length} rows, ${createHash('sha256').update(rows.join('\n')).digest('hex').slice(0, 16)}`
    }
  } finally {
    db.close()
  }
  return stored
}
