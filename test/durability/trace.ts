/** The service under strace, and the exact record of what it wrote, synced and answered. Linux only. */
import { spawn } from 'node:child_process'
import { open, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { loadCredentials, type Credentials } from '../../src/auth/credentials.ts'
import { readSettings } from '../../src/settings.ts'
import { projectDir, runningOf } from '../support/process.ts'
import { until } from './conversation.ts'
import { parseTrace, type Step } from './trace-lines.ts'

export interface TracedService {
  url: string
  credentials: Credentials
  /** Ends the service at once and answers all that it did, from its first moment on. */
  killAndRead (): Promise<Step[]>
  /** Ends the service at once, if it still runs. */
  kill (): void
}

/** Whatever can change a file's bytes or make them last, and whatever can carry bytes to a client. */
const calls = [
  'write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'ftruncate', 'truncate', 'fallocate', 'copy_file_range', 'sendfile',
  'fsync', 'fdatasync', 'sync_file_range', 'sync', 'msync', 'sendto', 'sendmsg', 'sendmmsg', 'io_uring_enter'
]

const strace = [
  '-D', // the service is our child and gets our signals; strace ends with it
  '-f', // all threads
  '-yy', // files and sockets by name
  '-s', '1000000', // all of what is written
  '-e', `trace=${calls.join(',')}`
]

/** Starts the service in `dataDir`, with its record in a file beside the directory. Throws where strace is not there. */
export async function spawnTraced (dataDir: string): Promise<TracedService> {
  const file = `${await realpath(dataDir)}.strace`
  const env = { PATH: process.env.PATH, PORT: '0', LOG_LEVEL: 'warn', DATA_DIR: dataDir }
  const child = spawn('strace', [...strace, '-o', file, process.execPath, 'src/server.ts'], {
    cwd: projectDir, env, stdio: ['ignore', 'ignore', 'pipe']
  })
  const killWithUs = () => { child.kill('SIGKILL') }
  process.once('exit', killWithUs)
  let [output, failure] = ['', undefined as Error | undefined]
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { output += chunk })
  child.once('error', (err: NodeJS.ErrnoException) => {
    failure = err.code === 'ENOENT'
      ? new Error('This test needs strace and Linux: install it (Debian, Ubuntu: apt-get install strace; Fedora: dnf install strace; Alpine: apk add strace)', { cause: err })
      : err
  })
  child.once('exit', () => {
    process.off('exit', killWithUs)
    failure ??= new Error(`The service under strace ended (may strace be used here? in a container it needs --cap-add=SYS_PTRACE):\n${output}`)
  })
  const running = async () => {
    if (failure !== undefined) throw failure
    return await runningOf(dataDir).catch(() => undefined)
  }
  try {
    await until('the service under strace listens', async () => await running() !== undefined)
  } catch (err) {
    killWithUs()
    throw err
  }
  const { url } = (await running())!

  return {
    url,
    credentials: loadCredentials(readSettings(env)),
    kill: killWithUs,
    async killAndRead () {
      killWithUs()
      // The end of the first thread is the last that strace writes.
      const end = `${child.pid} +++ killed by SIGKILL +++\n`
      await until('strace has written its record', async () => (await tailOf(file, end.length)) === end, 60_000)
      return parseTrace(await readFile(file, 'latin1'))
    }
  }
}

/** The store's files, by the name that strace gives them. */
export async function storeFiles (dataDir: string): Promise<{ database: string, wal: string }> {
  const database = join(await realpath(dataDir), 'channel-relay.db')
  return { database, wal: `${database}-wal` }
}

async function tailOf (file: string, length: number): Promise<string> {
  await using handle = await open(file)
  const { size } = await handle.stat()
  const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(length), position: Math.max(size - length, 0) })
  return buffer.toString('latin1', 0, bytesRead)
}
