/** `npm run cluster`, as a newcomer has it: through npm, in a terminal of which Ctrl-C reaches everything. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { until } from '../durability/conversation.ts'
import { asUser, projectDir, runScript, tokenFor, type ServiceProcess } from '../support/process.ts'
import { isEntry, openReader } from '../support/sse.ts'

interface Cluster {
  process: ChildProcess
  service: Pick<ServiceProcess, 'url' | 'credentials'>
  /** Of the nodes, by name. */
  nodes: Array<{ url: string, pid: number }>
  output (): string
  /** As Ctrl-C in a terminal: to npm and to all that it has started, each of which may pass it on. */
  interrupt (): void
  ended: Promise<unknown[]>
}

let directory: string
let cluster: Cluster | undefined
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'channel-relay-cluster-'))
  chmodSync(directory, 0o755) // PostgreSQL may run as another user
})
afterEach(async () => {
  if (cluster !== undefined && cluster.process.exitCode === null && cluster.process.signalCode === null) {
    for (const { pid } of cluster.nodes) if (isThere(pid)) process.kill(pid, 'SIGKILL')
    process.kill(-cluster.process.pid!, 'SIGKILL')
    await cluster.ended
  }
  cluster = undefined
  rmSync(directory, { recursive: true, force: true })
})

/** Whatever it puts into the system's temporary directory is in `directory`. */
async function startCluster (): Promise<Cluster> {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const env = { PATH, NODE_COMPILE_CACHE, HOME: directory, TMPDIR: directory, PORT: '0', npm_config_update_notifier: 'false' }
  const child = spawn('npm', ['run', '-s', 'cluster'], { cwd: projectDir, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => { output += chunk })
  await until('all of it is there', () => child.exitCode !== null || output.includes('Ctrl-C here ends all of it'))
  const [, url] = /behind (http:\S+)/.exec(output) ?? []
  if (url === undefined) throw new Error(`It did not start:\n${output}`)
  const [, accessKey, accessSecret] = /APP='([^:]+):([^']+)'/.exec(output)!
  const nodes = [...output.matchAll(/node \d: (http:\S+), pid (\d+)/g)].map(([, url, pid]) => ({ url: url!, pid: Number(pid) }))
  return {
    process: child,
    service: { url, credentials: { applicationId: '', accessKey: accessKey!, accessSecret: accessSecret!, tokenSecret: '' } },
    nodes,
    output: () => output,
    interrupt: () => { process.kill(-child.pid!, 'SIGINT') },
    ended
  }
}

function isThere (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** What runs on this machine and was told of a path, by its command line. */
const toldOf = (path: string) => execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' }).split('\n').filter(line => line.includes(path))
const databases = () => readdirSync(directory).filter(name => name.startsWith('channel-relay'))

it('takes a killed node for nothing: streams go on elsewhere, sends are repeated, and it is started again; Ctrl-C leaves nothing', { timeout: 60_000 }, async () => {
  cluster = await startCluster()
  const { service, nodes, output } = cluster
  expect(nodes).toHaveLength(3)
  const token = await tokenFor(service, 'alice')
  const made = await asUser(service, token, 'POST', '/v1/channels', { channelId: 'first-channel', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', groupType: 'public' })
  expect(made.status).toBe(200)

  const authorization = `Bearer ${token}`
  const open = (after?: string) => openReader(`${service.url}/v1/users/me/events`, { authorization, ...(after === undefined ? {} : { 'last-event-id': after }) })
  // One connection after the other: each is with another node.
  const streams = [await open(), await open(), await open()]
  for (const stream of streams) await stream.until('caught-up')
  const send = (index: number) => fetch(`${service.url}/v1/channels/first-channel/messages`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', 'idempotency-key': `message-${index}`, connection: 'close' },
    body: JSON.stringify({ messageId: `message-${index}`, textPayload: String(index) })
  })

  process.kill(nodes[1]!.pid, 'SIGKILL')
  for (let index = 0; index < 20; index++) {
    // As a client does that has had no answer.
    await until(`message ${index} is answered`, () => send(index).then(({ status }) => status === 200, () => false))
  }
  const cut = await Promise.race(streams.map(async stream => { await stream.ended; return stream }))
  const resumed = await open(cut.lastId())
  const wanted = Array.from({ length: 20 }, (_, index) => `message-${index}`)
  for (const stream of streams) {
    const parts = stream === cut ? [cut, resumed] : [stream]
    await parts.at(-1)!.until(({ json }) => json.message?.messageId === 'message-19')
    expect(parts.flatMap(({ frames }) => frames.filter(isEntry).map(({ json }) => json.message.messageId))).toEqual(wanted)
  }

  await until('the node is there again', () => output().includes('node 2: is there again'))
  const pids = [...nodes.map(({ pid }) => pid), Number(/node 2: is there again, with pid (\d+)/.exec(output())![1])]
  expect([databases().length, toldOf(directory).length > 0]).toEqual([1, true])
  cluster.interrupt()
  expect(await cluster.ended).toEqual([0, null])
  for (const stream of [...streams, resumed]) await stream.ended
  expect((await resumed.until('bye')).json.reason).toBe('shutdown')
  expect(pids.filter(isThere)).toEqual([])
  expect([...databases(), ...toldOf(directory)]).toEqual([])
  await expect(fetch(service.url)).rejects.toThrow()
})

it('killed, it leaves nothing behind either', { timeout: 60_000 }, async () => {
  cluster = await startCluster()
  process.kill(-cluster.process.pid!, 'SIGKILL')
  const { nodes } = cluster
  await until('all of it is gone', () => nodes.every(({ pid }) => !isThere(pid)) && databases().length === 0 && toldOf(directory).length === 0)
})

it.each([
  ['DATABASE_URL', 'postgres://user@host/relay'],
  ['DATA_DIR', './data'],
  ['PORT', 'x']
])('refuses %s=%s in one sentence', async (name, value) => {
  const { code, stdout, stderr } = await runScript(['cluster/start.ts'], { [name]: value })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(new RegExp(`^${name} is `))
  expect(stderr.trim().split('\n')).toHaveLength(1)
})
