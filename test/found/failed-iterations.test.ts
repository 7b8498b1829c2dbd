/** A statement whose iteration failed is as good as new: its error is told once, to whoever met it. */
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, it } from 'vitest'
import { yields } from '../../src/store/sql/dialect.ts'
import { collect, takeRows } from '../../src/store/sql/rows.ts'
import { prepareAll } from '../../src/store/sqlite/statements.ts'

const db = new DatabaseSync(':memory:')
db.exec('create table numbers (number); insert into numbers values (1), (2), (3)')
const { numbers } = prepareAll(db, { numbers: yields<{ number: number }>('select number from numbers limit ?') })
afterAll(() => db.close())

const bounds = { rows: 10, bytes: 1_000 }
const collected = (limit: number) => collect(numbers.iterate(limit), bounds, ({ number }) => number, () => 1).rows

it.each<[string, () => unknown]>([
  ['iterate', () => collected(2)],
  ['all', () => numbers.all(2).map(({ number }) => number)],
  ['get', () => [numbers.get(2)!.number, 2]]
])('whoever uses it next, by %s, gets rows', (_, next) => {
  // No integer that SQLite could take for a limit: it fails at the first row.
  expect(() => collected(Infinity)).toThrow('datatype mismatch')
  expect(next()).toEqual([1, 2])
})

it('rows are taken until there are enough', () => {
  const taken: number[] = []
  takeRows(numbers.iterate(3), ({ number }) => taken.push(number) < 2)
  expect(taken).toEqual([1, 2])
  expect(collected(3)).toEqual([1, 2, 3])
})

it('an error of whoever takes a row is theirs alone', () => {
  expect(() => takeRows(numbers.iterate(3), () => { throw new Error('not this one') })).toThrow('not this one')
  expect(collected(3)).toEqual([1, 2, 3])
})
