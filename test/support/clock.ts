/**
 * Loaded before the service (`NODE_OPTIONS=--import=<this file>`): its clock then stands at `CLOCK_AT`, in
 * milliseconds since the epoch, when it starts, and goes on from there. With `CLOCK_SLEEPS` the machine sleeps for so many
 * milliseconds, a second after the start: its monotonic clock goes on with the other.
 */
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'

const now = Date.now.bind(Date)
const uptime = os.uptime.bind(os)
const offset = Number(process.env.CLOCK_AT) - now()
const sleeps = Number(process.env.CLOCK_SLEEPS ?? 0)
let slept = 0
setTimeout(() => { slept = sleeps }, 1_000).unref()

Date.now = () => now() + offset + slept
os.uptime = () => uptime() + slept / 1_000
syncBuiltinESMExports()
