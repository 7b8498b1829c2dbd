/**
 * Loaded into a service's process (`--import`): how long the longest turn of its event loop was, in milliseconds of its
 * main thread's own CPU time, so that it does not matter what else the machine does. Written to the file that
 * LONGEST_TURN names at each SIGWINCH, which begins anew.
 */
import { writeFileSync } from 'node:fs'

/** Between two looks. A turn is never longer than what it takes to come to the next one. */
const LOOK_MS = 2

let longest = 0
let last = process.threadCpuUsage()

setInterval(() => {
  const now = process.threadCpuUsage()
  longest = Math.max(longest, now.user + now.system - last.user - last.system)
  last = now
}, LOOK_MS).unref()

process.on('SIGWINCH', () => {
  writeFileSync(process.env.LONGEST_TURN!, String(longest / 1_000))
  longest = 0
})
