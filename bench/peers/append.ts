/** No servers: programs that write rows into a PostgreSQL of their own (servers/append.ts). */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startPostgres, whyNoPostgres } from '../postgres.ts'
import type { Peer } from './peer.ts'

const program = join(import.meta.dirname, '../servers/append.ts')
const run = promisify(execFile)

export function appending (name: string, about: string, what: 'store' | 'bare'): Peer {
  return {
    name,
    about,
    missing: whyNoPostgres,
    async start () {
      const postgres = await startPostgres()
      const url = postgres.url(await postgres.createDatabase())
      const none = (): never => { throw new Error(`${name} takes part in append only`) }
      return {
        pids: [postgres.pid!],
        ports: [],
        ready: '',
        rows: async seconds => JSON.parse((await run(process.execPath, [program, url, String(seconds), what])).stdout),
        channelStream: none,
        publish: none,
        stop: () => postgres.stop()
      }
    }
  }
}
