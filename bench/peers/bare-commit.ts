/** No server: a client of SQLite that commits one row at a time, synced. What a durable answer takes at least. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeDataDirectory, removeDirectory } from '../machine.ts'
import type { Peer } from './peer.ts'

const benchDir = join(import.meta.dirname, '..')
const run = promisify(execFile)

/** Milliseconds of each of so many commits, with pauses between them. */
export async function timeCommits (commits: number, gapMs: number): Promise<number[]> {
  const directory = makeDataDirectory()
  try {
    const { stdout } = await run(process.execPath, [join(benchDir, 'servers/commit.ts'), join(directory, 'rows.db'), String(commits), String(gapMs)])
    return JSON.parse(stdout)
  } finally {
    removeDirectory(directory)
  }
}

export const bareCommit: Peer = {
  name: 'bare-commit',
  about: 'SQLite by itself, one synced commit after the other',
  missing: () => undefined,
  async start () {
    const none = (): never => { throw new Error('bare-commit takes part in latency only') }
    return { pids: [], ports: [], ready: '', commits: timeCommits, channelStream: none, publish: none, stop: async () => {} }
  }
}
