/** Processes that a test did not start itself: the children of one that it did. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** The ids of a process's children, as they are now. None where it has ended. */
export function childrenOf (pid: number): number[] {
  if (process.platform === 'linux') {
    try {
      return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(id => id !== '').map(Number)
    } catch {
      return []
    }
  }
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
    .map(line => line.trim().split(/\s+/).map(Number)).filter(([, parent]) => parent === pid).map(([id]) => id!)
}

/** Sends a signal to a process, which may have ended. */
export function signal (pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ESRCH') throw err
  }
}

/** The one that PostgreSQL runs as, since it refuses root; empty where we are not root, and it runs as we do. */
export function unprivileged (): { uid?: number, gid?: number } {
  if (process.getuid?.() !== 0) return {}
  for (const user of ['postgres', 'nobody']) {
    try {
      const idOf = (which: '-u' | '-g') => Number(execFileSync('id', [which, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
      return { uid: idOf('-u'), gid: idOf('-g') }
    } catch {
      // There is no such user: the next one.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody')
}
