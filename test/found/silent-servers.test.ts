/** Servers, and what stands before them, that take a connection and say nothing, or no more. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addressesOf, Session } from '../../src/store/postgres/session.ts'
import { startPostgres, unsafeSettings, type PostgresServer } from '../support/postgres.ts'

/** A call that waits for the database is answered after so long at the latest, in milliseconds. */
const ANSWERED_MS = 2_000

let server: PostgresServer
beforeAll(async () => { server = await startPostgres({ settings: unsafeSettings }) }, 60_000)
afterAll(() => server.stop())

async function listen (take: (client: Socket) => void): Promise<Server & { url: string }> {
  const before = createServer({ allowHalfOpen: true }, take).listen(0, '127.0.0.1')
  await once(before, 'listening')
  return Object.assign(before, { url: server.url('postgres', (before.address() as AddressInfo).port) })
}

/** When opening a session has failed, in milliseconds. */
async function failsAfter (url: string): Promise<number> {
  const begun = performance.now()
  const opened = Session.open(addressesOf(url)[0]!, { name: 'channel-relay tests' })
  const failed = await Promise.race([opened.then(() => 'opened', () => 'failed'), new Promise(resolve => { setTimeout(resolve, 2 * ANSWERED_MS, 'waits') })])
  expect(failed).toBe('failed')
  return performance.now() - begun
}

describe('opening a session fails within the time that a caller waits', () => {
  it('where whatever takes the connection closes it without a word', async () => {
    let connections = 0
    const before = await listen(client => {
      connections++
      client.on('error', () => {}).end()
    })
    try {
      expect(await failsAfter(before.url)).toBeLessThan(ANSWERED_MS)
      const after = connections
      await new Promise(resolve => { setTimeout(resolve, 300) })
      expect(connections).toBe(after)
    } finally {
      before.close()
    }
  })

  it('where the server falls silent once it has let the session in', async () => {
    const before = await listen(client => {
      const to = connect(server.port, '127.0.0.1')
      let silent = false
      client.on('error', () => {}).on('data', data => { if (!silent) to.write(data) })
      to.on('error', () => {}).on('data', data => {
        if (!silent) client.write(data)
        silent ||= data.includes('Z\0\0\0\x05I')
      })
      client.on('close', () => to.destroy())
    })
    try {
      expect(await failsAfter(before.url)).toBeLessThan(ANSWERED_MS)
    } finally {
      before.close()
    }
  })
})
