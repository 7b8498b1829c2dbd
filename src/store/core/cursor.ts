/** Cursors (protocol 8, promise 1): the epoch of the store, a position, and the tag written with its entry. */
import type { Cursor, Position } from '../contract/log.ts'

const cursorPattern = /^([0-9a-z]{12})-([0-9a-z]{1,11})-([0-9a-z]{1,7})$/

export function formatCursor (epoch: string, position: Position, tag: number): Cursor {
  return `${epoch}-${position.toString(36)}-${tag.toString(36)}`
}

/** The parts of a cursor, or undefined where the text is none. */
export function parseCursor (text: string): { epoch: string, position: Position, tag: number } | undefined {
  const [, epoch, position, tag] = cursorPattern.exec(text) ?? []
  if (epoch === undefined || position === undefined || tag === undefined) return undefined
  const parsed = parseInt(position, 36)
  return Number.isSafeInteger(parsed) ? { epoch, position: parsed, tag: parseInt(tag, 36) } : undefined
}
