/**
 * For `node --import`: lets a test end the threads of a process from outside, which the process has no part in.
 * The first SIGWINCH, which means nothing to a process without a terminal, makes every thread stand still, whatever
 * it has to do; the second one ends them, in the way that DYING says. Each thread says "still" on standard error.
 */
import { writeSync } from 'node:fs'
import { getEnvironmentData, isMainThread, setEnvironmentData, type Worker } from 'node:worker_threads'

const SHARED = 'mortal-threads'

if (isMainThread) {
  const steps = new Int32Array(new SharedArrayBuffer(4))
  setEnvironmentData(SHARED, steps.buffer)
  const threads: Worker[] = []
  process.on('worker', thread => { threads.push(thread) })
  process.on('SIGWINCH', () => {
    const before = Atomics.add(steps, 0, 1)
    if (before === 1 && process.env.DYING === 'terminated') threads.forEach(thread => thread.terminate())
    else Atomics.notify(steps, 0)
  })
} else {
  const steps = new Int32Array(getEnvironmentData(SHARED) as unknown as SharedArrayBuffer)
  const stand = () => {
    writeSync(2, 'still\n')
    Atomics.wait(steps, 0, 1)
    // Uncaught, as an error of the thread's own code would be, and before anything else that it has to do.
    process.nextTick(() => { throw new Error('the thread dies') })
  }
  const { value } = Atomics.waitAsync(steps, 0, 0)
  Promise.resolve(value).then(stand)
}
