/** The directory that holds everything: credentials and, in the embedded store, the data. */
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes it and what leads there, for its owner alone, where it is not there. Throws what the system says.
 * Not `recursive`, which Node never ends where a file system (/proc) lets no directory be made.
 */
export function makeDataDirectory (path: string): void {
  try {
    makeOne(path)
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw err
    makeDataDirectory(dirname(path))
    makeOne(path)
  }
}

function makeOne (path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (err) {
    // Another process may have been first.
    if ((err as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(path).isDirectory()) throw err
  }
}

/** Takes others' rights on a file of ours away. True: they had some. */
export function keepToOwner (file: string): boolean {
  const { mode } = statSync(file)
  if ((mode & 0o077) === 0) return false
  chmodSync(file, mode & 0o700)
  return true
}

/** Whether others may enter a directory. Nobody enters one that is not there yet. */
export function isOpenToOthers (directory: string): boolean {
  const found = statSync(directory, { throwIfNoEntry: false })
  return found !== undefined && (found.mode & 0o077) !== 0
}
