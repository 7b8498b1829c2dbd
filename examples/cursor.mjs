// A cursor in a file: what it was before, or what it is now, but never half of it.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

export function readCursor (file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

export function writeCursor (file, cursor) {
  writeFileSync(`${file}.new`, cursor, { flush: true })
  renameSync(`${file}.new`, file)
}
