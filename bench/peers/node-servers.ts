/** Peers that are Node programs of this directory (servers/): one route for streams, one to publish to. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/support/ports.ts'
import { startListening } from '../process.ts'
import { fill } from '../generator.ts'
import { headOf, streamOf, type Peer } from './peer.ts'

const benchDir = join(import.meta.dirname, '..')

/** As long as a user's token, so that the same bytes are parsed. */
const AUTHORIZATION = `Bearer ${'x'.repeat(380)}`

/** Brings what bench/package.json names, where that was not done yet. Without a registry these peers are missing, and the rest goes on. */
export function installPackages (): void {
  if (existsSync(join(benchDir, 'node_modules/.package-lock.json'))) return
  spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: benchDir, stdio: 'ignore' })
}

interface NodeServer {
  name: string
  about: string
  file: string
  args?: string[]
  /** A package of bench/package.json that it needs. */
  needs?: string
}

export function nodeServer ({ name, about, file, args = [], needs }: NodeServer): Peer {
  return {
    name,
    about,
    missing () {
      if (needs === undefined || existsSync(join(benchDir, 'node_modules', needs))) return undefined
      return 'npm ci --prefix bench'
    },
    async start () {
      const port = await freePort()
      const child = await startListening(process.execPath, [join(benchDir, 'servers', file), String(port), ...args], port, { env: { ...process.env, NODE_ENV: 'production' } })
      return {
        pids: [child.pid],
        ports: [port],
        ready: '',
        channelStream: channel => streamOf(`/channels/c${channel}/events`),
        publish (channel, _user, text) {
          const body = JSON.stringify({ textPayload: text })
          const headers = { Authorization: AUTHORIZATION, 'Content-Type': 'application/json', 'Idempotency-Key': fill.key }
          return { head: headOf(`/channels/c${channel}/messages`, body, headers), body }
        },
        stop: child.stop
      }
    }
  }
}
