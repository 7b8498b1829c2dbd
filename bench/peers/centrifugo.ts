/** Centrifugo over uni_sse, its memory engine, one process. With history each channel keeps its last messages in memory. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory, removeDirectory } from '../machine.ts'
import { freePort } from '../../test/support/ports.ts'
import { startListening } from '../process.ts'
import { headOf, streamOf, type Peer } from './peer.ts'

const BINARY = process.env.CENTRIFUGO
const API_KEY = 'bench'

const configuration = (port: number, history: boolean): object => ({
  http_server: { address: '127.0.0.1', port: String(port) },
  log: { level: 'error' },
  http_api: { key: API_KEY },
  client: {
    allow_anonymous_connect_without_token: true,
    allowed_origins: [],
    // A stream is cut where more than this waits for it: 1 MiB, as the service has it, is also the default.
    queue_max_size: 1_048_576
  },
  uni_sse: { enabled: true },
  usage_stats: { disabled: true },
  channel: {
    without_namespace: {
      allow_subscribe_for_client: true,
      allow_subscribe_for_anonymous: true,
      ...(history ? { history_size: 1_000, history_ttl: '60s', force_recovery: true } : {})
    }
  }
})

export function centrifugo (history: boolean): Peer {
  return {
    name: history ? 'centrifugo-history' : 'centrifugo',
    about: `Centrifugo, Go, uni_sse; ${history ? 'the last 1,000 messages of a channel in memory' : 'keeps nothing'}`,
    missing () {
      if (BINARY === undefined) return 'CENTRIFUGO=<path of its binary>; go install github.com/centrifugal/centrifugo/v6@v6.9.1 makes it'
      return existsSync(BINARY) ? undefined : `there is no ${BINARY}, which CENTRIFUGO names`
    },
    async start () {
      const directory = makeDirectory()
      const port = await freePort()
      const file = join(directory, 'config.json')
      writeFileSync(file, JSON.stringify(configuration(port, history)))
      const child = await startListening(BINARY!, ['--config', file], port)
      return {
        pids: [child.pid],
        ports: [port],
        ready: '"connect"',
        channelStream (channel) {
          const connect = JSON.stringify({ subs: { [`c${channel}`]: {} } })
          return streamOf(`/connection/uni_sse?cf_connect=${encodeURIComponent(connect)}`)
        },
        publish (channel, _user, text) {
          const body = JSON.stringify({ channel: `c${channel}`, data: { text } })
          return { head: headOf('/api/publish', body, { 'X-API-Key': API_KEY, 'Content-Type': 'application/json' }), body }
        },
        async stop () {
          await child.stop()
          removeDirectory(directory)
        }
      }
    }
  }
}
