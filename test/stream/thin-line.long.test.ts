/** Readers on thin lines: who takes something now and then is not gone, who takes nothing is. */
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, send } from '../support/commands.ts'

const STALLED_MS = 3_000
/** Far less than a frame within that time. */
const BYTES_A_SECOND = 40_000

let on: TestApp
beforeAll(async () => {
  on = await startApp({ stalledMs: STALLED_MS, alone: true })
  await on.user('amy')
  await on.store.append(createChannel('amy', 'room-of-amy'))
  // More than what the kernel takes for a reader.
  for (let index = 0; index < 60; index++) {
    await on.store.append({ ...send('amy', 'room-of-amy', 'large'), messageData: [{ dataType: 'text', data: 'x'.repeat(240_000) }] })
  }
}, 60_000)
afterAll(() => on.stop())

async function open (): Promise<{ take: (bytes: number) => void, over: () => boolean, close: () => void }> {
  const socket = connect(Number(new URL(on.url).port), '127.0.0.1')
  const { authorization } = await on.user('amy')
  socket.write(`GET /v1/users/me/events?after=earliest HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n\r\n`)
  await new Promise(resolve => socket.once('readable', resolve))
  return {
    take: bytes => { for (let taken = 0; taken < bytes;) taken += (socket.read() as Buffer | null)?.length ?? bytes },
    over: () => on.streams.count === 0,
    close: () => socket.destroy()
  }
}

it('a reader that takes little, but takes it, is not cut, though a frame takes longer than one may stand still', async () => {
  const reader = await open()
  for (const end = performance.now() + 5 * STALLED_MS; performance.now() < end; await sleep(100)) reader.take(BYTES_A_SECOND / 10)
  expect(reader.over()).toBe(false)
  reader.close()
  while (!reader.over()) await sleep(50)
})

it('a reader that takes nothing is', async () => {
  const reader = await open()
  expect(reader.over()).toBe(false)
  while (!reader.over()) await sleep(50)
  reader.close()
})
