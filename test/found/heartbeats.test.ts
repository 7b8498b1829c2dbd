/** After a silence of HEARTBEAT_MS at the latest a comment comes (docs/protocol.md, 8), however many streams there are. */
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { startApp } from '../support/app.ts'
import { until } from '../durability/conversation.ts'

it('with some streams, nothing else to do', async () => {
  const heartbeatMs = 1_000
  const on = await startApp({ heartbeatMs })
  const asAmy = await on.user('amy')
  const gaps: number[] = []
  const COUNT = Number(process.env.STREAMS ?? 100)
  const clients = await Promise.all(Array.from({ length: COUNT }, async (_, index) => {
    const client = connect(Number(new URL(on.url).port), '127.0.0.1')
    client.write(`GET /v1/users/me/events HTTP/1.1\r\nhost: x\r\nauthorization: ${asAmy.authorization}\r\n\r\n`)
    let last: number | undefined
    client.on('data', () => {
      if (index !== 0) return
      const now = performance.now()
      if (last !== undefined) gaps.push(now - last)
      last = now
    })
    return client
  }))
  await until('all are there', () => on.streams.count === COUNT)
  await new Promise(resolve => setTimeout(resolve, 4 * heartbeatMs))
  const silences = gaps.filter(gap => gap > heartbeatMs / 2).sort((one, other) => one - other)
  for (const client of clients) client.destroy()
  await on.stop()
  // One of them may be longer on a busy machine; not every one.
  expect(silences[Math.floor(silences.length / 2)]).toBeLessThanOrEqual(heartbeatMs)
}, 30_000)
