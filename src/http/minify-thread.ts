/** A thread that makes the module smaller that it was started with, and ends: a tenth of a second in which nothing else waits. */
import { parentPort, workerData } from 'node:worker_threads'
import { minify } from 'terser'

const { code } = await minify(workerData as string, { module: true, format: { preamble: '/* channel-relay-client, MIT */' } })
parentPort!.postMessage(code)
