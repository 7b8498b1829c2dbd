/**
 * The application's credentials. What the environment does not give is made at the first start and kept
 * in the data directory, readable by its owner only. Nodes that share a database have no such directory in
 * common: each of them is given all.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { keepToOwner, makeDataDirectory } from '../data-directory.ts'
import { BASE64_PATTERN, type Settings } from '../settings.ts'

const Credentials = Type.Object({
  applicationId: Type.String({ minLength: 1 }),
  accessKey: Type.String({ minLength: 1 }),
  /** Base64, as mitter's SDKs want it. */
  accessSecret: Type.String({ minLength: 24, pattern: BASE64_PATTERN }),
  tokenSecret: Type.String({ minLength: 64 })
})
export type Credentials = Static<typeof Credentials>

/**
 * The credentials in force: the environment's, and for the rest those of `DATA_DIR/credentials.json`,
 * which is made if it is not there. Throws an Error that names the file where it cannot be read or made, or,
 * with a database for many nodes, the settings that are missing.
 */
export function loadCredentials (settings: Pick<Settings, 'dataDir' | 'databaseUrl' | 'applicationId' | 'accessKey' | 'accessSecret' | 'tokenSecret'>): Credentials {
  const { databaseUrl, applicationId, accessKey, accessSecret, tokenSecret } = settings
  if (applicationId && accessKey && accessSecret && tokenSecret) return { applicationId, accessKey, accessSecret, tokenSecret }
  if (databaseUrl !== undefined) {
    const missing = Object.entries({ APPLICATION_ID: applicationId, ACCESS_KEY: accessKey, ACCESS_SECRET: accessSecret, TOKEN_SECRET: tokenSecret })
      .flatMap(([name, value]) => value ? [] : [name])
    throw new Error(`DATABASE_URL is set, and ${missing.join(', ')} not: all nodes must be given the same credentials (docs/deploy.md says how they are made)`)
  }
  // The file holds all four whatever the environment gives, so that it is complete or corrupt, never in between.
  const kept = keptCredentials(settings.dataDir)
  return {
    applicationId: applicationId ?? kept.applicationId,
    accessKey: accessKey ?? kept.accessKey,
    accessSecret: accessSecret ?? kept.accessSecret,
    tokenSecret: tokenSecret ?? kept.tokenSecret
  }
}

function keptCredentials (dataDir: string): Credentials {
  const file = join(dataDir, 'credentials.json')
  const kept = readKept(file)
  if (kept !== undefined) return kept
  try {
    makeDataDirectory(dataDir)
    create(dataDir, file)
  } catch (err) {
    throw new Error(`The credentials cannot be written to ${file}: ${(err as Error).message}`, { cause: err })
  }
  // Another process may have been first: what is in the file counts, not what was just made.
  return readKept(file)!
}

/** Undefined: there is no file yet. A file that cannot be understood is never replaced: tokens depend on it. */
function readKept (file: string): Credentials | undefined {
  try {
    const kept: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (Value.Check(Credentials, kept)) {
      if (keepToOwner(file)) process.emitWarning(`Others could read or write ${file}, and cannot any more: if somebody may have, move it away to have new credentials made`)
      return kept
    }
  } catch (err) {
    const { code, message } = err as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code !== undefined) throw new Error(`The credentials in ${file} cannot be read: ${message}`, { cause: err })
    // A SyntaxError falls through; its message would show a piece of the file.
  }
  throw new Error(`${file} does not hold credentials: restore it, or move it away to have new ones made (all tokens end then)`)
}

/** Credentials that nobody else has. */
export function makeCredentials (): Credentials {
  return {
    applicationId: randomUUID(),
    accessKey: randomBytes(12).toString('hex'),
    accessSecret: randomBytes(32).toString('base64'),
    tokenSecret: randomBytes(64).toString('hex')
  }
}

/** Writes the whole file under another name, then links it: it appears complete, and only where none is yet. */
function create (dataDir: string, file: string): void {
  const draft = `${file}.${randomUUID()}`
  const descriptor = openSync(draft, 'wx', 0o600)
  try {
    writeFileSync(descriptor, `${JSON.stringify(makeCredentials(), null, 2)}\n`)
    fsyncSync(descriptor)
    linkSync(draft, file)
    syncDirectory(dataDir)
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'EEXIST') throw err
  } finally {
    closeSync(descriptor)
    unlinkSync(draft)
  }
}

/** A name is on disk only when its directory is. */
function syncDirectory (path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
