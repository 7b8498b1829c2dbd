/** The recent entries hold 16 Mi characters (relay/ring.ts), in however many forms they were told. */
import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { until } from '../durability/conversation.ts'
import { startApp } from '../support/app.ts'
import { createChannel, send } from '../support/commands.ts'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
const MiB = 1024 * 1024

it('four streams of one user, long texts: no more than 64 MiB of buffers', async () => {
  const on = await startApp({ queueBytes: 64 * MiB })
  const asAmy = await on.user('amy')
  await on.store.append(createChannel('amy', 'room-of-amy'))
  const clients = [['1.1', ''], ['1.0', ''], ['1.1', '?format=compact'], ['1.0', '?format=compact']].map(([version, query]) => {
    const client = connect(Number(new URL(on.url).port), '127.0.0.1')
    client.write(`GET /v1/users/me/events${query} HTTP/${version}\r\nhost: x\r\nauthorization: ${asAmy.authorization}\r\n\r\n`)
    return client.resume()
  })
  await until('all are there', () => on.streams.count === 4)
  gc()
  const before = process.memoryUsage().arrayBuffers
  for (let n = 0; n < 760; n++) await on.store.append(send('amy', 'room-of-amy', '語'.repeat(21_800)))
  await new Promise(resolve => setTimeout(resolve, 1_000))
  for (let n = 0; n < 5; n++) { gc(); await new Promise(resolve => setTimeout(resolve, 50)) }
  const took = process.memoryUsage().arrayBuffers - before
  for (const client of clients) client.destroy()
  await on.stop()
  expect(took).toBeLessThan(64 * MiB)
}, 60_000)
