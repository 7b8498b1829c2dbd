/** All that is written in a directory, whatever the files are. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The bytes of every file under a directory, by name. A file that goes meanwhile is left out. */
export function bytesOf (directory: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (const file of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (!file.isFile()) continue
    const path = join(file.parentPath, file.name)
    try {
      files.set(path, readFileSync(path))
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code !== 'ENOENT') throw err
    }
  }
  return files
}

/** Where a text stands in a directory: the names of the files. */
export function filesWith (directory: string, text: string): string[] {
  return [...bytesOf(directory)].filter(([, bytes]) => bytes.includes(text)).map(([path]) => path.slice(directory.length + 1))
}
