/**
 * Loaded before the service (`NODE_OPTIONS=--import=<this file>`): its clock then stands at `CLOCK_AT`, in
 * milliseconds since the epoch, when it starts, and goes on from there.
 */
const now = Date.now.bind(Date)
const offset = Number(process.env.CLOCK_AT) - now()

Date.now = () => now() + offset
