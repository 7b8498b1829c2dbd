/** What is remembered is bounded, and what is in use stays. */
import { expect, it } from 'vitest'
import { LatelyUsed } from '../../src/lately-used.ts'

it('holds no more than it may, and of that at least the half that was used last', () => {
  const lately = new LatelyUsed<number, string>(100)
  for (let key = 0; key < 10_000; key++) lately.set(key, `${key}`)
  const held = Array.from({ length: 10_000 }, (_, key) => key).filter(key => lately.get(key) !== undefined)
  expect(held.length).toBeLessThanOrEqual(100)
  expect(held).toEqual(expect.arrayContaining(Array.from({ length: 49 }, (_, index) => 9_951 + index)))
})

it('keeps what is used again and again, whatever else comes', () => {
  const lately = new LatelyUsed<string, number>(100)
  lately.set('in use', 1)
  for (let key = 0; key < 10_000; key++) {
    lately.set(`once ${key}`, key)
    if (key % 20 === 0) expect(lately.get('in use')).toBe(1)
  }
})

it('forgets everything when it is told to', () => {
  const lately = new LatelyUsed<number, number>(10)
  for (let key = 0; key < 9; key++) lately.set(key, key)
  lately.clear()
  for (let key = 0; key < 9; key++) expect(lately.get(key)).toBeUndefined()
})
