/**
 * What a delivery costs, beside the least that Node can do (bench/peer.ts) in the same run:
 * `node bench/fan-out.ts [streams] [messages]`. The figures that count are the ratios: machines differ.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { Pool } from 'undici'
import { asUser, spawnService, tokenFor } from '../test/support/process.ts'

const [streams = 200, messages = 2_000] = process.argv.slice(2).map(Number)
const PUBLISHERS = [1, 64]
const text = 'x'.repeat(200)

interface Target {
  url: string
  streamPath: string
  sendPath: string
  headers: Record<string, string>
}

/** Opens streams on bare sockets and counts the frames that arrive. */
async function subscribe ({ url, streamPath, headers }: Target): Promise<{ sockets: Socket[], delivered: () => number }> {
  let delivered = 0
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const sockets = await Promise.all(Array.from({ length: streams }, async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(`GET ${streamPath} HTTP/1.1\r\nhost: bench\r\n${lines}\r\n`)
    let open = () => {}
    const live = new Promise<void>(resolve => { open = resolve })
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      if (chunk.includes('event: caught-up')) open()
      for (let at = chunk.indexOf('event: message\n'); at !== -1; at = chunk.indexOf('event: message\n', at + 1)) delivered++
    })
    await live
    return socket
  }))
  return { sockets, delivered: () => delivered }
}

/** Deliveries per second, from the first send to the last arrival. */
async function measure (target: Target, publishers: number): Promise<number> {
  const { sockets, delivered } = await subscribe(target)
  const pool = new Pool(target.url, { connections: publishers, pipelining: 1 })
  const body = JSON.stringify({ textPayload: text })
  const started = performance.now()
  let left = messages
  await Promise.all(Array.from({ length: publishers }, async () => {
    while (left-- > 0) {
      const answer = await pool.request({ method: 'POST', path: target.sendPath, headers: { ...target.headers, 'content-type': 'application/json' }, body })
      await answer.body.dump()
      if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}`)
    }
  }))
  // A frame whose name is split between two chunks is not counted: one in a thousand may be missing.
  while (delivered() < messages * streams * 0.99) await new Promise(resolve => setTimeout(resolve, 1))
  const seconds = (performance.now() - started) / 1000
  sockets.forEach(socket => socket.destroy())
  await pool.close()
  return messages * streams / seconds
}

// The service first: where it does not start, nothing else is left running.
const service = await spawnService({ env: { LOG_LEVEL: 'warn' } })
const peer = spawn(process.execPath, [join(import.meta.dirname, 'peer.ts')], { stdio: ['ignore', 'pipe', 'inherit'] })
const [line] = await once(peer.stdout, 'data') as [Buffer]
const plain: Target = { url: /http:\S+/.exec(String(line))![0], streamPath: '/', sendPath: '/', headers: {} }

const token = await tokenFor(service, 'amy')
await asUser(service, token, 'POST', '/v1/channels', { channelId: 'bench-channel', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat' })
const relay: Target = {
  url: service.url, streamPath: '/v1/channels/bench-channel/events', sendPath: '/v1/channels/bench-channel/messages', headers: { authorization: `Bearer ${token}` }
}

console.log(`${streams} streams, ${messages} messages of ${text.length} characters`)
for (const publishers of PUBLISHERS) {
  const [least, ours] = [await measure(plain, publishers), await measure(relay, publishers)]
  console.log(`${String(publishers).padStart(3)} publishers: plain Node ${Math.round(least)} deliveries/s, channel-relay ${Math.round(ours)} deliveries/s, ratio ${(ours / least).toFixed(2)}`)
}
peer.kill()
await service.stop()
