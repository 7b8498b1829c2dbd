/** A peer as a process of its own, and what it takes: CPU of all threads, memory, both of its children too. Linux only. */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { killWithUs } from './machine.ts'

/** How long a peer may take to listen, in milliseconds. */
const START_MS = 20_000

export interface Memory { rssKiB: number, pssKiB: number }

/** Of a process's children that have ended: clock ticks a second, as `/proc` counts them. */
const TICKS = 100

/** CPU time that processes and their children have used, in seconds, those that have ended among these, too. What a thread used that has ended since is not in it. */
export function cpuSecondsOf (pids: number[]): number {
  let nanoseconds = 0
  for (const one of pids.flatMap(family)) {
    const [, , , , , , , , , , , , , user, system] = readFileSync(`/proc/${one}/stat`, 'latin1').split(') ')[1]!.split(' ')
    nanoseconds += (Number(user) + Number(system)) / TICKS * 1e9
    for (const task of readdirSync(`/proc/${one}/task`)) {
      try {
        nanoseconds += Number(readFileSync(`/proc/${one}/task/${task}/schedstat`, 'latin1').split(' ')[0])
      } catch {
        // The thread ended meanwhile.
      }
    }
  }
  return nanoseconds / 1e9
}

export function memoryOf (pids: number[]): Memory {
  const total = { rssKiB: 0, pssKiB: 0 }
  for (const one of pids.flatMap(family)) {
    const rollup = readFileSync(`/proc/${one}/smaps_rollup`, 'latin1')
    total.rssKiB += Number(/^Rss:\s+(\d+)/m.exec(rollup)?.[1])
    total.pssKiB += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1])
  }
  return total
}

function family (pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap(task => {
    const list = readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').trim()
    return list === '' ? [] : list.split(' ').map(Number)
  })
  return [pid, ...children.flatMap(family)]
}

export interface Child {
  pid: number
  stop (): Promise<void>
}

/** Starts a program and resolves when something listens on the port. Throws with its output where it ends before. */
export async function startListening (command: string, args: string[], port: number, options: SpawnOptions = {}): Promise<Child> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  killWithUs(child)
  let output = ''
  const keep = (chunk: Buffer): void => { if (output.length < 10_000) output += chunk }
  child.stdout!.on('data', keep)
  child.stderr!.on('data', keep)
  const ended = new Promise<void>(resolve => child.once('close', resolve).once('error', err => { output += String(err); resolve() }))
  const stop = (): Promise<void> => end(child, ended)
  const until = performance.now() + START_MS
  while (performance.now() < until && child.exitCode === null) {
    if (await listens(port)) return { pid: child.pid!, stop }
    await Promise.race([sleep(50), ended])
  }
  await stop()
  throw new Error(`${command} does not listen on port ${port}:\n${output}`)
}

/** Asks it to end, and ends it where it has not after 5 seconds. */
async function end (child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode === null) child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 5000)
  await ended
  clearTimeout(late)
}

async function listens (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
