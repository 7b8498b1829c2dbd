/** The process: settings, start, banner, stop. `npm start` runs it on the Node that the project pins. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.ts'
import { createAuthenticate, createIdentify } from './auth/authenticate.ts'
import { loadCredentials } from './auth/credentials.ts'
import { createTokens } from './auth/tokens.ts'
import { banner, urlOf } from './banner.ts'
import { isOpenToOthers } from './data-directory.ts'
import { Refusal } from './errors.ts'
import { createLogger } from './logging.ts'
import { name } from './package.ts'
import { createStreams } from './relay/streams.ts'
import { readSettings, type Settings } from './settings.ts'
import { openStore } from './store/open.ts'

const LEAST_NODE = 26

/**
 * Connections that may wait to be accepted: as many as come back at once when a network does. The system allows fewer where
 * `net.core.somaxconn` is less; who finds no room tries again after 1, 3 and 7 seconds.
 */
const BACKLOG = 65_535

/**
 * Ctrl-C in `npm start` arrives twice, from the terminal and passed on by npm, a moment apart. Only a
 * signal later than this, in milliseconds, is a second one.
 */
const SAME_SIGNAL_MS = 500

/** Of the time that a stop may take: for streams, requests and answers under way. The rest is for the store after them. */
const CLOSING_SHARE = 0.6

/** And of that time, how long a stream's reader may take to read what it still has; at most, in milliseconds. */
const LINGERING_SHARE = 0.2
const LONGEST_LINGER_MS = 2_000

/** How long a start waits for a database that has gone away again, and between two looks, in milliseconds. */
const DATABASE_WAIT_MS = 30_000
const DATABASE_PAUSE_MS = 200

/** How long whoever has the port may take to say who it is, in milliseconds. */
const ASKED_MS = 1_000

/** Signals of a process that has gone wrong: one that goes on after them does so for ever, at the same instruction. */
const faults = ['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV'] as const

try {
  if (Number.parseInt(process.versions.node) < LEAST_NODE) {
    throw new Error(`This service needs Node ${LEAST_NODE} or newer, and this is Node ${process.versions.node}: start it with "npm start", which brings its own (npm ci)`)
  }
  process.umask(0o077) // whatever it writes is its owner's alone
  await start(readSettings(process.env))
} catch (err) {
  console.error((err as Error).message)
  process.exit(1)
}

async function start (settings: Settings): Promise<void> {
  const { dataDir, databaseUrl, heartbeatMs, corsOrigins, streamQueueBytes: queueBytes, shutdownGraceMs } = settings
  const credentials = loadCredentials(settings)
  const logger = createLogger(settings)
  const isEmbedded = databaseUrl === undefined // else nothing is in DATA_DIR
  if (isEmbedded && isOpenToOthers(dataDir)) logger.warn(`others may enter DATA_DIR ${dataDir}: chmod 700 keeps them out`)
  // Before anything is waited for, and before it listens: it may be told to stop at once.
  let stop = async (): Promise<void> => {}
  closeOnSignals(shutdownGraceMs, logger, () => stop())
  const store = await openStore(settings, { onError: err => logger.error({ err }, 'the store failed') })
  const runningFile = join(dataDir, 'running.json')
  if (isEmbedded) rmSync(runningFile, { force: true }) // left by a process that was killed

  const tokens = createTokens({ credentials, store, ttlSeconds: settings.tokenTtlSeconds })
  const authenticate = createAuthenticate({ store })
  const lingerMs = Math.min(LONGEST_LINGER_MS, shutdownGraceMs * LINGERING_SHARE)
  const opened = () => createStreams({ store, heartbeatMs, queueBytes, lingerMs, logger })
  const streams = await (isEmbedded ? opened() : oncePossible(opened))
  const closeWithinMs = shutdownGraceMs * CLOSING_SHARE
  const app = await buildApp({ applicationId: credentials.applicationId, store, authenticate, identify: createIdentify({ credentials, tokens }), tokens, streams, corsOrigins, logger, closeWithinMs })
  // As any other uncaught error: it stops, streams first, with an exit code that has it started again.
  store.onFailure(err => setImmediate(() => { throw err }))
  stop = async () => {
    await app.close() // ends the streams first
    if (isEmbedded) rmSync(runningFile, { force: true })
    await store.close()
  }
  await app.listen({ host: settings.host, port: settings.port, backlog: BACKLOG, listenTextResolver: address => `listening on ${address}` }).catch(async (err: NodeJS.ErrnoException) => {
    const { host, port } = settings
    const by = err.code === 'EADDRINUSE' && await isOurs(urlOf(host, port)) ? ': another channel-relay answers there, which has its own data and takes none of the tokens of this' : ''
    throw new Error(`The service cannot listen on HOST ${host}, PORT ${port} (${err.code ?? err.message}${by}): set another HOST or PORT`, { cause: err })
  })

  const url = urlOf(settings.host, (app.server.address() as AddressInfo).port)
  try {
    if (isEmbedded) writeRunning(runningFile, url)
  } catch (err) {
    // The disk is full: reads and streams are still worth serving.
    logger.warn({ err }, 'running.json cannot be written: the token tool will not find this service')
  }
  // Logs stay pure JSON where no terminal reads them.
  const output = process.stdout.isTTY ? process.stdout : process.stderr
  output.write(banner(url, settings))
}

/** Whether the process that listens there is a channel-relay, too. */
async function isOurs (url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { headers: { accept: 'application/json' }, signal: AbortSignal.timeout(ASKED_MS) })
    return (await response.json() as { name?: unknown }).name === name
  } catch {
    return false
  }
}

/** The database may go away again at any moment of a start: it is waited for, as it was at the beginning. Throws after half a minute. */
async function oncePossible<T> (open: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + DATABASE_WAIT_MS
  for (;;) {
    try {
      return await open()
    } catch (err) {
      if (!(err instanceof Refusal && err.refusal === 'unavailable') || performance.now() > giveUpAt) throw err
      await sleep(DATABASE_PAUSE_MS)
    }
  }
}

/** Stops within the grace period at the first signal or uncaught error, at once at the second. */
function closeOnSignals (delay: number, logger: ReturnType<typeof createLogger>, stop: () => Promise<void>): void {
  const grace = closeWithGrace({ delay, logger, skip: ['SIGINT', 'SIGTERM', ...faults] }, async ({ err }) => {
    if (err) logger.fatal({ err }, 'uncaught error, stopping')
    else logger.info('stopping')
    await stop()
  })
  let askedAt: number | undefined
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      if (askedAt === undefined) grace.close()
      else if (performance.now() - askedAt > SAME_SIGNAL_MS) process.exit(1)
      askedAt ??= performance.now()
    })
  }
}

/** Tells the token tool where the process that holds the data listens (src/token.ts). Appears complete. */
function writeRunning (file: string, url: string): void {
  writeFileSync(`${file}.new`, JSON.stringify({ url, pid: process.pid }), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
