/**
 * `npm run -s token -- <userId>`: makes the user if need be and prints a token for it, alone, on standard
 * output. It works on the data itself where that is a database for many, or nobody else does, and asks the running service otherwise.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadCredentials, type Credentials } from './auth/credentials.ts'
import { createTokens } from './auth/tokens.ts'
import { Refusal } from './errors.ts'
import { mustBeIdentifier } from './rules/identifiers.ts'
import { readSettings, type Settings } from './settings.ts'
import { SYSTEM } from './store/contract/commands.ts'
import { openStore, StoreLocked } from './store/open.ts'

/** How long to try while a service is just starting or stopping, in milliseconds, and how often. */
const PATIENCE_MS = 10_000
const PAUSE_MS = 100

/** One request's time, in milliseconds. */
const REQUEST_MS = 5000

/** The service is not there, or not yet, or not any more: worth another try. */
class Away extends Error {}

try {
  const [userId, ...others] = process.argv.slice(2)
  if (userId === undefined || others.length > 0) throw new Error('Usage: npm run -s token -- <userId>')
  mustBeIdentifier('user', userId)
  const settings = readSettings(process.env)
  const { dataDir, databaseUrl } = settings
  const wasEmpty = databaseUrl === undefined && isEmpty(dataDir)
  // Before anything is made there. Mostly another directory was meant.
  if (wasEmpty) console.error(`There was nothing in DATA_DIR ${dataDir}: it gets a new store, and the token is good for a service that is started on it`)
  const { token, isServed } = await tokenFor(userId, settings, loadCredentials(settings))
  if (!isServed && !wasEmpty) console.error(`No service runs on DATA_DIR ${dataDir} now: the token is good for one that is started on it, and for no other that has its port`)
  console.log(token)
} catch (err) {
  console.error((err as Error).message)
  process.exitCode = 1
}

/** Whether a directory has nothing in it, or is not there. */
function isEmpty (directory: string): boolean {
  try {
    return readdirSync(directory).length === 0
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

/** Tries both ways in turn: whether a service runs may change at any moment. `isServed`: as far as is known, one does. */
async function tokenFor (userId: string, settings: Settings, credentials: Credentials): Promise<{ token: string, isServed: boolean }> {
  const giveUpAt = Date.now() + PATIENCE_MS
  while (true) {
    try {
      return { token: await fromStore(userId, settings, credentials), isServed: settings.databaseUrl !== undefined }
    } catch (err) {
      if (!(err instanceof StoreLocked)) throw err
    }
    try {
      return { token: await fromService(userId, settings.dataDir, credentials), isServed: true }
    } catch (err) {
      if (!(err instanceof Away)) throw err
      if (Date.now() > giveUpAt) throw new Error(`Another process holds ${settings.dataDir}, and no service answers there: ${err.message}`)
    }
    await sleep(PAUSE_MS)
  }
}

async function fromStore (userId: string, settings: Settings, credentials: Credentials): Promise<string> {
  // The service's retention may be longer than what this process was told: forgetting is not for a tool.
  const store = await openStore({ ...settings, retentionMs: Number.MAX_SAFE_INTEGER }, { lockWaitMs: 0 })
  try {
    const tokens = createTokens({ credentials, store, ttlSeconds: settings.tokenTtlSeconds })
    await store.append({ type: 'create-user', actor: SYSTEM, userId, userLocators: [], systemUser: false }).catch((err: unknown) => {
      if (!(err instanceof Refusal && err.refusal === 'userExists')) throw err
    })
    return (await tokens.issueUserToken({ kind: 'application' }, userId)).signedToken
  } finally {
    await store.close()
  }
}

async function fromService (userId: string, dataDir: string, credentials: Credentials): Promise<string> {
  const url = runningUrl(dataDir)
  const authorization = `Basic ${Buffer.from(`${credentials.accessKey}:${credentials.accessSecret}`).toString('base64')}`
  await post(`${url}/v1/users`, authorization, { userId }, 409)
  const { userToken } = await post(`${url}/v1/users/${encodeURIComponent(userId)}/tokens`, authorization) as { userToken: { signedToken: string } }
  return userToken.signedToken
}

/** Where the process that holds the data listens (src/server.ts writes it). */
function runningUrl (dataDir: string): string {
  try {
    const { url } = JSON.parse(readFileSync(join(dataDir, 'running.json'), 'utf8')) as { url: string }
    return url
  } catch (err) {
    throw new Away((err as Error).message)
  }
}

/** Posts as the application. `fine`: a status that counts as success, too. */
async function post (url: string, authorization: string, body?: unknown, fine?: number): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(REQUEST_MS)
  }).catch((err: Error) => { throw new Away(`${url}: ${err.message}`) })
  if (response.status === 503) throw new Away(`${url} answered 503`)
  const answer = await response.json().catch(() => undefined) as { message?: string } | undefined
  if (response.ok || response.status === fine) return answer
  throw new Error(response.status === 401
    ? `The service at ${new URL(url).origin} has other credentials: set ACCESS_KEY and ACCESS_SECRET as it has them`
    : `The service answered ${response.status}: ${answer?.message ?? 'without a message'}`)
}
