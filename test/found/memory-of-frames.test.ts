/**
 * What the recent entries hold in memory is bounded (relay/ring.ts: 8,192 entries, 16 Mi characters), whatever else the service does
 * beside them. A small frame is a slice of one of Node's pooled buffers, of 64 KiB (Buffer.poolSize): as long as it is kept,
 * so is all of the pool that it was cut from.
 */
import { once } from 'node:events'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openReader, type Reader } from '../support/sse.ts'
import { asApplication, spawnService, type ServiceProcess } from '../support/process.ts'

const MESSAGES = Number(process.env.MESSAGES ?? 700)
const MiB = 1024 * 1024
const tell = 'data:text/javascript,process.on("SIGCONT",()=>{gc();gc();process.stderr.write("memory "+JSON.stringify(process.memoryUsage())+"\\n")})'

let on: ServiceProcess
let reader: Reader | undefined
beforeEach(async () => { on = await spawnService({ nodeArgs: ['--expose-gc', '--import', tell] }) })
afterEach(async () => {
  reader?.close()
  await on.stop()
})

async function memory (): Promise<{ arrayBuffers: number, rss: number }> {
  const before = on.output('stderr').length
  on.process.kill('SIGCONT')
  for (;;) {
    const found = /memory (\{.*\})\n/.exec(on.output('stderr').slice(before))
    if (found !== null) return JSON.parse(found[1]!)
    await once(AbortSignal.timeout(20), 'abort')
  }
}

it('a stream, small messages, and pages of history read between them: some MiB', async () => {
  const channel = { channelId: 'room-of-all', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', groupType: 'public' }
  expect((await asApplication(on, 'POST', '/v1/channels', channel)).status).toBe(200)
  const post = (text: string) => asApplication(on, 'POST', '/v1/channels/room-of-all/messages', { textPayload: text })
  for (let n = 0; n < 30; n++) await post('x'.repeat(100))
  const { authorization } = { authorization: `Basic ${Buffer.from(`${on.credentials.accessKey}:${on.credentials.accessSecret}`).toString('base64')}` }
  reader = await openReader(`${on.url}/v1/events`, { authorization })
  await reader.until('caught-up')
  const read = async () => (await (await fetch(`${on.url}/v1/channels/room-of-all/messages?limit=38`, { headers: { authorization } })).text()).length
  const before = await memory()
  await read()
  for (let n = 0; n < MESSAGES; n++) await Promise.all([post('hello'), read(), read(), read()])
  const after = await memory()
  const sent = reader.raw().length
  // Four times all that was ever put into frames.
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(4 * sent + 8 * MiB)
}, 120_000)
