/** The real service as a process of its own, and a few words of HTTP to it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { loadCredentials, type Credentials } from '../../src/auth/credentials.ts'
import { readSettings } from '../../src/settings.ts'

export const projectDir = resolve(import.meta.dirname, '../..')

/** What every process of the project is given: compiled code is kept for the next one (vitest.config.ts says where). */
const { PATH, NODE_COMPILE_CACHE } = process.env
const inherited = { PATH, NODE_COMPILE_CACHE }

/** How long a start may take on a busy machine, in milliseconds. */
const START_MS = 20_000

export interface ServiceOptions {
  /** Made, and removed by `stop`, where it is absent. */
  dataDir?: string
  /** Settings besides DATA_DIR; PORT is 0 unless it is here. */
  env?: Record<string, string>
  /** Options of Node's own, in front of the service. */
  nodeArgs?: string[]
  /** How long the start may take, in milliseconds, where it has to wait for something. */
  startMs?: number
}

export interface ServiceProcess {
  url: string
  credentials: Credentials
  dataDir: string
  process: ChildProcess
  /** What it wrote so far: logs on `stdout`, the banner on `stderr`, or both. Complete once it has ended. */
  output (from?: 'stdout' | 'stderr'): string
  /** Sends a signal and waits for the end. The directory stays, to start on again. */
  kill (signal: NodeJS.Signals): Promise<void>
  /** Ends it politely, removes a directory that was made for it, and answers its exit code (null: a signal ended it). Idempotent. */
  stop (): Promise<number | null>
}

/** Starts `src/server.ts` and resolves when it listens. Throws with its output where it ends before. */
export async function spawnService (options: ServiceOptions = {}): Promise<ServiceProcess> {
  const dataDir = options.dataDir ?? await mkdtemp(join(tmpdir(), 'channel-relay-'))
  const env = { ...inherited, PORT: '0', ...options.env, DATA_DIR: dataDir }
  const child = spawn(process.execPath, [...options.nodeArgs ?? [], 'src/server.ts'], { cwd: projectDir, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const killWithUs = () => { child.kill('SIGKILL') }
  process.once('exit', killWithUs)
  const ended = once(child, 'close').finally(() => process.off('exit', killWithUs))

  const written = { stdout: '', stderr: '' }
  const output = (from?: 'stdout' | 'stderr') => from === undefined ? written.stdout + written.stderr : written[from]
  const listening = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it did not listen in time')), options.startMs ?? START_MS)
    const read = (from: 'stdout' | 'stderr') => (chunk: string) => {
      written[from] += chunk
      const url = /listens on (http:\S+)\n/.exec(written.stderr)?.[1]
      if (url === undefined) return
      clearTimeout(timer)
      resolve(url)
    }
    child.stdout.setEncoding('utf8').on('data', read('stdout'))
    child.stderr.setEncoding('utf8').on('data', read('stderr'))
    ended.then(() => { clearTimeout(timer); reject(new Error('it ended')) }, reject)
  })

  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await ended
  }
  const stop = async () => {
    await kill('SIGTERM')
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
    return child.exitCode
  }
  try {
    const url = await listening
    return { url, credentials: loadCredentials(readSettings(env)), dataDir, process: child, output, kill, stop }
  } catch (err) {
    await kill('SIGKILL')
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
    throw new Error(`The service did not start (${(err as Error).message}):\n${output()}`)
  }
}

/** Runs a script of the project to its end, for example `['src/token.ts', 'alice']`. */
export async function runScript (args: string[], env: Record<string, string>): Promise<{ code: number | null, stdout: string, stderr: string }> {
  const child = spawn(process.execPath, args, { cwd: projectDir, env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { stdout += chunk })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { stderr += chunk })
  const [code] = await once(child, 'close') as [number | null]
  return { code, stdout, stderr }
}

export interface Answer<T = any> {
  status: number
  headers: Headers
  body: T
}

/** One call as JSON, with whatever credentials the headers show. An empty answer's body is undefined. */
export async function call<T = any> (url: string, method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Answer<T>> {
  const response = await fetch(url + path, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

type Service = Pick<ServiceProcess, 'url' | 'credentials'>

/** The header of the application (Basic). */
export function basicOf ({ accessKey, accessSecret }: Pick<Credentials, 'accessKey' | 'accessSecret'>): string {
  return `Basic ${Buffer.from(`${accessKey}:${accessSecret}`).toString('base64')}`
}

/** Calls as the application. */
export async function asApplication<T = any> ({ url, credentials }: Service, method: string, path: string, body?: unknown): Promise<Answer<T>> {
  return await call<T>(url, method, path, { authorization: basicOf(credentials) }, body)
}

/** Calls as the user of a token. */
export async function asUser<T = any> ({ url }: Pick<Service, 'url'>, token: string, method: string, path: string, body?: unknown): Promise<Answer<T>> {
  return await call<T>(url, method, path, { authorization: `Bearer ${token}` }, body)
}

/** A token for a user, who is made where it is not there. */
export async function tokenFor (service: Service, userId: string): Promise<string> {
  const made = await asApplication(service, 'POST', '/v1/users', { userId })
  if (made.status !== 200 && made.status !== 409) throw new Error(`no user ${userId}: ${JSON.stringify(made.body)}`)
  const { status, body } = await asApplication(service, 'POST', `/v1/users/${encodeURIComponent(userId)}/tokens`)
  if (status !== 200) throw new Error(`no token for ${userId}: ${JSON.stringify(body)}`)
  return body.userToken.signedToken
}

/** What the service that has this directory tells the token tool. */
export async function runningOf (dataDir: string): Promise<{ url: string, pid: number }> {
  return JSON.parse(await readFile(join(dataDir, 'running.json'), 'utf8'))
}
