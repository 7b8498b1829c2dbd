/** The Mercure hub, one process, plain HTTP/1.1: with the transport `local`, which keeps nothing, or `bolt`, which keeps a file. */
import { createHmac } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDataDirectory, removeDirectory } from '../machine.ts'
import { freePort } from '../../test/support/ports.ts'
import { startListening } from '../process.ts'
import { headOf, streamOf, type Peer } from './peer.ts'

const BINARY = process.env.MERCURE
const KEY = 'a key that is as long as HS256 asks for, no more than that'
const HUB = '/.well-known/mercure'

const configuration = (port: number, transport: string): string => `
{
  admin off
  auto_https off
  persist_config off
  log {
    level ERROR
  }
  servers {
    protocols h1
  }
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
  mercure {
    anonymous
    publisher_jwt "${KEY}" HS256
    write_timeout 0s
    transport ${transport}
  }
}
`

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function publisherToken (): string {
  const signed = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url({ mercure: { publish: ['*'] } })}`
  return `${signed}.${createHmac('sha256', KEY).update(signed).digest('base64url')}`
}

export function mercure (bolt: boolean): Peer {
  return {
    name: bolt ? 'mercure-bolt' : 'mercure',
    about: `Mercure, Go; ${bolt ? 'bolt, synced to disk' : 'local, keeps nothing'}`,
    missing () {
      if (BINARY === undefined) return 'MERCURE=<path of its binary>; its releases have one, and go build ./mercure in its caddy/ makes it'
      return existsSync(BINARY) ? undefined : `there is no ${BINARY}, which MERCURE names`
    },
    async start () {
      const directory = makeDataDirectory()
      const port = await freePort()
      const file = join(directory, 'Caddyfile')
      const transport = bolt ? `bolt {\n path ${join(directory, 'mercure.db')}\n size 1000\n }` : 'local'
      writeFileSync(file, configuration(port, transport))
      const child = await startListening(BINARY!, ['run', '--adapter', 'caddyfile', '--config', file], port)
      const authorization = `Bearer ${publisherToken()}`
      const topicOf = (channel: number): string => encodeURIComponent(`https://bench.example/c${channel}`)
      return {
        pids: [child.pid],
        ports: [port],
        ready: '',
        channelStream: channel => streamOf(`${HUB}?topic=${topicOf(channel)}`),
        publish (channel, _user, text) {
          const body = `topic=${topicOf(channel)}&data=${text}`
          return { head: headOf(HUB, body, { Authorization: authorization, 'Content-Type': 'application/x-www-form-urlencoded' }), body }
        },
        async stop () {
          await child.stop()
          removeDirectory(directory)
        }
      }
    }
  }
}
