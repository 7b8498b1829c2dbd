/** That the comparison can fail: whatever differs in the database is found, and said by table; and a server that is lost in the middle. */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseLists } from '../../src/rules/access-entries.ts'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { compare, copy, move } from '../../src/store/moving/move.ts'
import { linesOf, sumOf, type Row } from '../../src/store/moving/rows.ts'
import { Source } from '../../src/store/moving/source.ts'
import { Target } from '../../src/store/moving/target.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { fixtures, unpack } from '../store/fixtures/fixture.ts'
import { createChannel, createUser, send } from '../support/commands.ts'
import { startPostgres } from '../support/postgres.ts'
import { inDatabase, makePlace, moveTo, type Place } from './moving.ts'

const quiet = () => {}

describe('the sum of rows', () => {
  const rows: Row[] = [[1, 'a', null], [2, 'b\n\\N', 7], [3, '', null]]
  const of = async (others: Row[]) => await sumOf(linesOf(others))

  it('is the same for the same rows, however they are cut', async () => {
    async function * cut () {
      for (const byte of Buffer.from([...linesOf(rows)].join(''))) yield Buffer.of(byte)
    }
    expect(await of(rows)).toEqual({ rows: 3, checksum: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(await sumOf(cut())).toEqual(await of(rows))
  })

  it.each<[string, Row[]]>([
    ['another value', [[1, 'a', null], [2, 'B\n\\N', 7], [3, '', null]]],
    ['nothing in the place of an empty text', [[1, 'a', null], [2, 'b\n\\N', 7], [3, null, null]]],
    ['what is told of nothing in its place', [[1, 'a', '\\N'], [2, 'b\n\\N', 7], [3, '', null]]],
    ['another order', [[2, 'b\n\\N', 7], [1, 'a', null], [3, '', null]]],
    ['a value in another column', [[1, 'a', null], [2, 'b\n\\N', 7], [3, null, '']]],
    ['two columns in one', [[1, 'a\t\\N'], [2, 'b\n\\N', 7], [3, '', null]]],
    ['a row less', [[1, 'a', null], [2, 'b\n\\N', 7]]]
  ])('is another one for %s', async (_, others) => {
    expect((await of(others)).checksum).not.toBe((await of(rows)).checksum)
  })
})

describe('the comparison', () => {
  let place: Place
  let dataDir: string
  let source: Source
  let target: Target
  beforeAll(async () => {
    place = await makePlace()
    dataDir = unpack(fixtures.at(-1)!)
    // Of these the fixtures' program has none.
    const store = await openSqliteStore({ dataDir })
    const [room, onlyAmy] = [{ kind: 'channel' as const, channelId: 'listed-room' }, { plusAppliedAcls: ['read_message:user(amy)'] }]
    await store.append(createChannel('amy', 'listed-room'))
    await store.append(send('amy', 'listed-room', 'For me', { messageId: 'listed-message', acls: parseLists(onlyAmy, { ...room, kind: 'message' })! }))
    await store.append(send('amy', 'listed-room', 'Said', { idempotency: { key: 'key-of-this', fingerprint: 'print' } }))
    await store.append({ type: 'change-acls', actor: SYSTEM, of: { kind: 'message', messageId: 'listed-message' }, patch: { patchType: 'Set', setAcls: {} } })
    await store.append({ type: 'change-acls', actor: SYSTEM, of: { kind: 'channel', channelId: 'listed-room' }, patch: { patchType: 'Set', setAcls: { minusAppliedAcls: ['join_channel:any_user()'] } } })
    await store.append({ ...createUser('signed'), nonce: 'nonce-of-this' })
    await store.close()
    source = Source.open(dataDir).source
    target = await Target.open(place.url, true)
    await target.look(source.epoch)
    await copy(source, target, quiet)
  })
  afterAll(async () => {
    source.close()
    await target.close()
    rmSync(dataDir, { recursive: true })
    place.remove()
  })

  const compared = async () => await compare(source, target, quiet).then(() => '', (err: Error) => err.message)
  const filled = () => source.tables.filter(table => source.count(table) > 0)

  it('is of every table that the store has, and every column', async () => {
    const columns = await inDatabase<{ table: string, column: string }>(place.url, `select table_name as table, column_name as column from information_schema.columns
      where table_schema = 'channel_relay' order by table_name collate "C", column_name collate "C"`)
    const copied = source.tables.flatMap(({ name, columns }) => columns.map(column => ({ table: name, column })))
    expect(copied.sort((one, other) => `${one.table} ${one.column}` < `${other.table} ${other.column}` ? -1 : 1)).toEqual(columns)
  })

  it('finds no difference where there is none, in tables that have rows', async () => {
    expect(await compared()).toBe('')
    expect(filled()).toEqual(source.tables)
  })

  it('finds one value in the middle of each table', async () => {
    for (const { name, key, columns } of filled()) {
      const column = columns.findLast(column => !key.includes(column)) ?? key.at(-1)!
      const middle = `ctid = (select ctid from ${name} ${name === 'meta' ? 'where name = \'floor_tag\'' : ''} order by ${key.join(', ')} offset (select count(*) / 2 from ${name} ${name === 'meta' ? 'where false' : ''}) limit 1)`
      const [was] = await inDatabase(place.url, `select ${column} as value from ${name} where ${middle}`)
      const put = async (value: unknown) => await inDatabase(place.url, `update ${name} set ${column} = ${value === null ? 'null' : `'${String(value).replaceAll('\'', '\'\'')}'`} where ${middle}`)
      await put(typeof was!.value === 'string' && !/^\d+$/.test(was!.value) ? `${was!.value} ` : Number(was!.value ?? 0) + 1)
      expect(await compared(), `${name}.${column}`).toContain(`${name} (the checksum)`)
      await put(was!.value)
      expect(await compared(), `${name}.${column}`).toBe('')
    }
  })

  it('finds a row that is not there, one too many, and all of them at once', async () => {
    await inDatabase(place.url, `delete from participations where ctid = (select min(ctid) from participations);
      insert into nonces (nonce, at) values ('of-nobody', 1); update users set screen_name = '"Somebody"' where user_id = 'amy'`)
    const message = await compared()
    expect(message).toMatch(/^The copy differs in nonces \(\d+ rows in the store, \d+ in the database\), participations \(\d+ rows in the store, \d+ in the database\), users \(the checksum\), and nothing is sealed/)
  })
})

describe('a server that is lost in the middle', () => {
  it('is told of in one sentence, the store goes on, and the same command begins again', async () => {
    const server = await startPostgres()
    const place = await makePlace()
    const { dataDir } = place
    try {
      const store = await openSqliteStore({ dataDir })
      await store.append(createUser('amy'))
      await store.append(createChannel('amy', 'room'))
      for (let from = 0; from < 8; from++) await Promise.all(Array.from({ length: 1_000 }, (_, nth) => store.append(send('amy', 'room', `${from} ${nth} ${'x'.repeat(500)}`))))
      await store.close()
      const url = server.url(await server.createDatabase())
      let killed: Promise<void> | undefined
      const broken = move({ dataDir, url, allowUnsafe: false, onProgress: (doing, done) => { if (doing === 'copying entries' && done >= 4_000) killed ??= server.kill() } })
      await expect(broken).rejects.toThrow(/^The database went away \(.*\): nothing is lost, and the same command begins again when it is back$/)
      await killed
      await server.start()
      await expect(openPostgresStore({ url })).rejects.toThrow('npm run migrate')
      const again = await openSqliteStore({ dataDir })
      await again.append(send('amy', 'room', 'Meanwhile'))
      await again.close()
      const { sums } = await move({ dataDir, url, allowUnsafe: false, onProgress: quiet })
      expect(sums!.entries!.rows).toBe(8_002)
      const moved = await openPostgresStore({ url })
      await moved.append(send('amy', 'room', 'On PostgreSQL'))
      await moved.close()
    } finally {
      await server.stop()
      place.remove()
    }
  }, 60_000)
})

describe('a store of nothing', () => {
  it('is moved, too', async () => {
    const place = await makePlace()
    await (await openSqliteStore({ dataDir: place.dataDir })).close()
    const { epoch } = await moveTo(place.url, place.dataDir)
    const store = await openPostgresStore({ url: place.url, allowUnsafe: true })
    expect((await store.head()).cursor).toContain(epoch)
    await store.close()
    place.remove()
  })
})
