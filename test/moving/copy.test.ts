/** Rows into PostgreSQL in bulk: the driver tells of some failures in ways of its own, and of others not at all. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { linesOf, sumOf, type Row } from '../../src/store/moving/rows.ts'
import { addressesOf, placeOf, Session } from '../../src/store/postgres/session.ts'
import { yields } from '../../src/store/sql/dialect.ts'
import { sharedDatabase } from '../support/shared-postgres.ts'

let dataDir: string
let url: string
let session: Session
let other: Session
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-copy-'))
  url = await sharedDatabase(dataDir)
  session = await Session.open(addressesOf(url)[0]!, { name: 'copies' })
  other = await Session.open(addressesOf(url)[0]!, { name: 'looks' })
  await session.exec('create schema channel_relay; create table numbers (number bigint primary key, said text)')
})
afterEach(async () => {
  await session.close()
  await other.close()
  rmSync(dataDir, { recursive: true })
})

const copy = async (lines: Iterable<string>) => await session.copyIn('copy numbers (number, said) from stdin', lines)
const count = async () => (await other.run(yields<{ rows: number }>('select count(*) as rows from numbers')))[0]!.rows

function * many (rows: number, last = '') {
  for (let from = 0; from < rows; from += 1_000) yield Array.from({ length: 1_000 }, (_, nth) => `${from + nth}\t${'x'.repeat(100)}\n`).join('')
  if (last !== '') yield last
}

describe('a copy', () => {
  it('puts all rows, and the session goes on', async () => {
    await copy(many(20_000))
    expect(await count()).toBe(20_000)
    await copy([])
    await copy(['20000\tlast\n'])
    expect(await count()).toBe(20_001)
  })

  it.each([
    ['at the end of a few', ['1\ta\n', 'nonsense\n']],
    ['at the end of many', many(20_000, 'nonsense\n')],
    ['at the beginning of many', ['nonsense\n', ...many(20_000)]],
    ['as a key that is there', many(20_000, '7\tagain\n')]
  ])('fails where a row is refused, %s, and puts none', async (_, lines) => {
    await expect(copy(lines)).rejects.toThrow(/nonsense|missing data|duplicate key|invalid input|did not take the rows/)
    await expect.poll(count).toBe(0)
    expect(session.isOpen).toBe(false)
  })

  it('fails where the session is lost in the middle, and puts none', async () => {
    function * lost () {
      yield * many(20_000)
      other.exec('select pg_terminate_backend(pid) from pg_stat_activity where application_name = \'copies\' and datname = current_database()').catch(() => {})
      yield * many(2_000_000)
    }
    await expect(copy(lost())).rejects.toThrow()
    await expect.poll(count).toBe(0)
  })

  it('fails where the rows cannot be read', async () => {
    function * broken () {
      yield * many(5_000)
      throw new Error('unreadable')
    }
    await expect(copy(broken())).rejects.toThrow('unreadable')
    await expect.poll(count).toBe(0)
    expect(session.isOpen).toBe(false)
  })
})

describe('what was copied', () => {
  const out = async () => await session.copyOut('copy (select number, said from numbers order by number) to stdout')

  it('comes out as the lines that went in, whatever characters there are', async () => {
    const said = Array.from({ length: 0x2ff }, (_, code) => `before${String.fromCodePoint(code + 1)}after`)
    const rows: Row[] = [...said, '', '\\N', '\\.', 'NULL', '🦀', '\ufffe\uffff', '\\x41', null].map((text, number) => [number, text])
    await copy(linesOf(rows))
    const pieces = []
    for await (const piece of await out()) pieces.push(piece)
    expect(Buffer.concat(pieces).toString()).toBe([...linesOf(rows)].join(''))
    expect(await other.run('select said from numbers order by number')).toEqual(rows.map(([, text]) => ({ said: text })))
  })

  it('is read at the reader\'s pace, and the session goes on', async () => {
    await copy(many(20_000))
    expect(await sumOf(await out())).toEqual(await sumOf(many(20_000)))
    expect(await sumOf(await out())).toMatchObject({ rows: 20_000 })
  })

  it('is none where the session is lost in the middle', { timeout: 60_000 }, async () => {
    await copy(many(200_000))
    const lost = (async () => {
      for await (const piece of await out()) {
        expect(piece.length).toBeGreaterThan(0)
        await other.exec('select pg_terminate_backend(pid) from pg_stat_activity where application_name = \'copies\' and datname = current_database()')
      }
    })()
    await expect(lost).rejects.toThrow()
  })
})

describe('the place of a database', () => {
  it.each([
    ['postgres://relay:sec%40ret@db.example.com:5433/chat?sslmode=require', 'postgres://relay@db.example.com:5433/chat'],
    ['postgres://relay:secret@one,two:5433/chat?target_session_attrs=read-write', 'postgres://relay@one:5432,two:5433/chat']
  ])('is told without secrets: %s', (url, place) => {
    expect(placeOf(url)).toBe(place)
  })
})
