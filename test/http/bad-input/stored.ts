/** All that is stored, in a few words: whatever is written anywhere changes them. */
import { createHash } from 'node:crypto'
import { rowsOf } from '../../support/stores.ts'
import type { Service } from '../service.ts'

/** Tables apart: whoever calls signed leaves a nonce there, refused or not. */
const LEFT_OUT = ['nonces']

/** The head of the log, and a digest over the rows of each table. */
export async function storedOf (service: Service): Promise<Record<string, string>> {
  const { headers } = await service.call('GET /v1/channels?limit=1')
  const stored: Record<string, string> = { head: String(headers['x-event-cursor']) }
  for (const [name, rows] of Object.entries(await rowsOf(service.dataDir)).filter(([name]) => !LEFT_OUT.includes(name))) {
    const lines = rows.map(row => JSON.stringify(row)).sort()
    stored[name] = `${lines.length} rows, ${createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16)}`
  }
  return stored
}
