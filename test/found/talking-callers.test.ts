/** An answer that nobody takes is cut after its time (src/http/unread.ts), whatever its caller says meanwhile. */
import { connect, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { startApp } from '../support/app.ts'
import { createChannel, send } from '../support/commands.ts'

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

it.each([['nothing', false], ['a byte now and then', true]])('it says %s', async (_what, talks) => {
  const on = await startApp({ unread: { stalledMs: 500, leastRate: 1e12 } })
  const sockets: Socket[] = []
  on.app.server.on('connection', (socket: Socket) => sockets.push(socket))
  const asAmy = await on.user('amy')
  await on.store.append(createChannel('amy', 'room-of-amy'))
  for (let n = 0; n < 64; n++) await on.store.append(send('amy', 'room-of-amy', 'x'.repeat(65_000)))
  const get = `GET /v1/channels/room-of-amy/messages?limit=200 HTTP/1.1\r\nhost: x\r\nauthorization: ${asAmy.authorization}\r\n\r\n`
  // Several connections' worth would be more than the kernel takes; one answer may be taken whole.
  const client = connect(Number(new URL(on.url).port), '127.0.0.1').on('error', () => {})
  client.pause()
  client.write(get)
  let cut = false
  const behind = 'GET /v1/users/me HTTP/1.1\r\nhost: x\r\nx: '
  for (let n = 0; n < 100 && !cut; n++) {
    await sleep(100)
    if (talks && !client.destroyed) client.write(n === 0 ? behind : 'x')
    cut = sockets[0]!.destroyed
    if (n === 3) console.log('waits', sockets[0]!.writableLength)
  }
  client.destroy()
  await on.stop()
  expect(cut).toBe(true)
}, 60_000)
