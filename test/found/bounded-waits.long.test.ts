/** Nothing is waited for without an end: neither what another session holds, nor an answer that does not come. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Store } from '../../src/store/contract/store.ts'
import { locks } from '../../src/store/postgres/locks.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { createUser } from '../support/commands.ts'
import { startPostgres, unsafeSettings, type PostgresServer } from '../support/postgres.ts'
import { promptClock } from '../support/stores.ts'

let server: PostgresServer
let database: string
let before: Way
let store: Store
beforeAll(async () => { server = await startPostgres({ settings: unsafeSettings }) }, 60_000)
afterAll(() => server.stop())
beforeEach(async () => {
  database = await server.createDatabase()
  before = await Way.to(server.port)
  store = await openPostgresStore({ url: server.url(database, before.port), clock: promptClock, allowUnsafe: true })
  await store.append(createUser('anna'))
  await store.settle()
})
afterEach(async () => {
  before.heal()
  await store.close()
  before.close()
})

/** A way to the server on which single connections can fall silent: packets of them are lost, and nobody is told. */
class Way {
  readonly #server: Server
  /** By what the server calls their sessions. */
  readonly #connections = new Map<Socket, { to: Socket, name: string, silent: boolean }>()

  constructor (server: Server) {
    this.#server = server
  }

  static async to (port: number): Promise<Way> {
    const way: Way = new Way(createServer({ noDelay: true }, client => way.#take(client, port)).listen(0, '127.0.0.1'))
    await once(way.#server, 'listening')
    return way
  }

  get port (): number {
    return (this.#server.address() as AddressInfo).port
  }

  #take (client: Socket, port: number): void {
    const to = connect({ port, host: '127.0.0.1', noDelay: true })
    const connection = { to, name: '', silent: false }
    this.#connections.set(client, connection)
    client.on('error', () => {}).on('data', data => {
      connection.name ||= /application_name\0([^\0]*)/.exec(data.toString('latin1'))?.[1] ?? ''
      if (!connection.silent) to.write(data)
    })
    to.on('error', () => {}).on('data', data => { if (!connection.silent) client.write(data) })
    client.on('close', () => {
      this.#connections.delete(client)
      if (!connection.silent) to.destroy()
    })
    to.on('close', () => { if (!connection.silent) client.destroy() })
  }

  silence (name: string): void {
    for (const connection of this.#connections.values()) if (connection.name === name) connection.silent = true
  }

  heal (): void {
    for (const [client, { silent }] of this.#connections) if (silent) client.destroy()
  }

  close (): void {
    for (const [client, { to }] of this.#connections) {
      client.destroy()
      to.destroy()
    }
    this.#server.close()
  }
}

const outcome = async (work: Promise<unknown>, withinMs: number): Promise<unknown> =>
  await Promise.race([work.then(() => 'done', (err: { refusal?: string, message: string }) => err.refusal ?? err.message), sleep(withinMs, 'waits')])

/** While somebody holds a lock of ours. */
async function holding<T> (lock: number, work: () => Promise<T>): Promise<T> {
  const holder = postgres(server.url(database), { max: 1, fetch_types: false })
  try {
    await holder`select pg_advisory_lock(${lock})`
    return await work()
  } finally {
    await holder.end()
  }
}
const endSession = async (name: string) => await server.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${name}' and datname = '${database}'`)

it('a command that waits for its turn among the nodes is refused once, and not after a second wait', async () => {
  await holding(locks.batch, async () => expect(await outcome(store.append(createUser('other')), 7_000)).toBe('unavailable'))
})

it('a node comes back though another one holds the lock of the schema, which is made', async () => {
  await holding(locks.schema, async () => {
    await endSession('channel-relay listens')
    await sleep(1_500)
    expect(await outcome(store.head(), 1_000)).toBe('done')
  })
})

it('a node comes back though its way fell silent while it was coming back', async () => {
  await holding(locks.schema, async () => {
    await endSession('channel-relay listens')
    await sleep(300)
    before.silence('channel-relay listens')
  })
  await sleep(5_000)
  expect(await outcome(store.head(), 1_000)).toBe('done')
})

it.each([['writes', (nth: number) => store.append(createUser(`user-${nth}`))], ['reads', () => store.head()]] as const)('where the session that %s has fallen silent, callers are answered', async (what, call) => {
  await Promise.all([store.head(), store.append(createUser('first'))])
  before.silence(`channel-relay ${what}`)
  expect(await outcome(call(1), 15_000)).not.toBe('waits')
  expect(await outcome(call(2), 2_000)).toBe('done')
})
