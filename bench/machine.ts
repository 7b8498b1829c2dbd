/** Where a run took place, and what must not outlive it. */
import { execFileSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'

export interface Machine {
  processor: string
  cores: number
  memoryGiB: number
  kernel: string
  node: string
  /** Of the directory that the service keeps its data in. */
  fileSystem: string
  commit: string
}

export function thisMachine (): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `Linux ${release().replace(/-.*/, '')}`,
    node: process.version,
    fileSystem: fileSystemOf(import.meta.dirname),
    commit: commit()
  }
}

/** The type of the file system that a path is on. */
function fileSystemOf (path: string): string {
  const mounts = readFileSync('/proc/mounts', 'utf8').trim().split('\n').map(line => line.split(' '))
  const over = mounts.filter(([, point]) => path === point || path.startsWith(point === '/' ? '/' : `${point}/`))
  return over.toSorted((one, other) => other[1]!.length - one[1]!.length)[0]?.[2] ?? 'unknown'
}

function commit (): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'unknown'
  }
}

const children = new Set<ChildProcess>()
const directories = new Set<string>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  for (const directory of directories) removeDirectory(directory)
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

/** A process that ends with this one, however this one ends. */
export function killWithUs (child: ChildProcess): void {
  children.add(child)
  child.once('close', () => children.delete(child))
}

/** A new directory, which goes with this process at the latest. For configuration and the like: it may be in memory. */
export function makeDirectory (): string {
  return noted(mkdtempSync(join(tmpdir(), 'channel-relay-bench-')))
}

/** The same on the disk that this file is on: for what is to be synced. */
export function makeDataDirectory (): string {
  return noted(mkdtempSync(join(import.meta.dirname, 'data-')))
}

function noted (directory: string): string {
  directories.add(directory)
  return directory
}

export function removeDirectory (directory: string): void {
  rmSync(directory, { recursive: true, force: true })
  directories.delete(directory)
}
