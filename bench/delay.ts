/** A way to a port of this machine that takes time (delay/delay.c): what a network between a node and its database takes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { compile } from './compile.ts'
import { killWithUs } from './machine.ts'

export interface Delay {
  /** Where the way begins. */
  port: number
  stop (): Promise<void>
}

/** @param ms in each direction */
export async function startDelay (port: number, ms: number): Promise<Delay> {
  const child = spawn(compile('delay'), [String(port), String(Math.round(ms * 1000))], { stdio: ['pipe', 'pipe', 'inherit'] })
  killWithUs(child)
  const ended = once(child, 'exit')
  const [line] = await Promise.race([once(child.stdout, 'data'), ended.then(() => { throw new Error('the delaying proxy ended') })]) as [Buffer]
  return {
    port: Number(line.toString()),
    async stop () {
      child.stdin.end()
      await ended
    }
  }
}
