/**
 * The settings, from the environment (protocol 9). A wrong one stops the start with a sentence that
 * names it; nothing is accepted and then ignored.
 */
import { resolve } from 'node:path'
import { envSchema } from 'env-schema'
import { Type, type Static } from 'typebox'

const DAY_SECONDS = 86_400
export const BASE64_PATTERN = '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$'

/** `[user[:password]@]host[:port][,host[:port]]…/database[?parameters]`, in RFC 3986's characters. IPv6 addresses the driver does not know. */
const databaseUrl = /^postgres(?:ql)?:\/\/(?:[\w.~!$&'()*+,;=%:-]+@)?(?<hosts>[\w.-]+(?::\d+)?(?:,[\w.-]+(?::\d+)?)*)\/[\w.~!$&'()*+,;=%-]+(?:\?[^#\s]*)?$/

/** Descriptions say what would be right: they end the sentence "PORT is "x": it must be …". */
const Environment = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', pattern: '^[A-Za-z0-9.:_-]+$', description: 'a host name or an IP address' }),
  PORT: Type.Integer({ default: 11902, minimum: 0, maximum: 65_535, description: 'a whole number from 0 to 65535 (0: any free port)' }),
  DATA_DIR: Type.String({ default: './data', description: 'a directory' }),
  DATABASE_URL: Type.Optional(Type.String({ description: 'postgres://user:password@host:5432/database, with commas between several host:port, and special characters of user and password percent-encoded' })),
  DATABASE_ALLOW_UNSAFE: Type.Boolean({ default: false, description: 'true or false' }),
  // It travels in tokens, which must decode with atob: > ? ~ would yield - or _ there (protocol 2).
  APPLICATION_ID: Type.Optional(Type.String({ pattern: '^[!-=@-}]{1,128}$', description: '1 to 128 printable ASCII characters without spaces and without > ? ~' })),
  // A colon ends the key in Basic and in the signature.
  ACCESS_KEY: Type.Optional(Type.String({ pattern: '^[!-9;-~]{1,128}$', description: '1 to 128 printable ASCII characters without spaces and without a colon' })),
  ACCESS_SECRET: Type.Optional(Type.String({ pattern: BASE64_PATTERN, minLength: 24, maxLength: 1024, description: 'at least 16 bytes in base64 (openssl rand -base64 32 makes one)' })),
  // RFC 7518, 3.2: a key for HS512 has 512 bits at least.
  TOKEN_SECRET: Type.Optional(Type.String({ minLength: 64, maxLength: 1024, description: '64 to 1024 characters (openssl rand -hex 64 makes one)' })),
  TOKEN_TTL_SECONDS: Type.Integer({ default: 30 * DAY_SECONDS, minimum: 0, maximum: 3650 * DAY_SECONDS, description: 'a whole number from 0 to 315360000 (0: tokens do not end)' }),
  CORS_ORIGINS: Type.String({ default: '', description: 'origins with commas between them, for example https://chat.example.com,http://localhost:3000' }),
  HEARTBEAT_MS: Type.Integer({ default: 15_000, minimum: 100, maximum: 600_000, description: 'a whole number from 100 to 600000' }),
  STREAM_QUEUE_BYTES: Type.Integer({ default: 1_048_576, minimum: 65_536, maximum: 1_073_741_824, description: 'a whole number from 65536 to 1073741824' }),
  EVENT_RETENTION_HOURS: Type.Integer({ default: 168, minimum: 1, maximum: 87_600, description: 'a whole number from 1 to 87600' }),
  LOG_LEVEL: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], { default: 'info', description: 'one of trace, debug, info, warn, error, fatal, silent' }),
  SHUTDOWN_GRACE_MS: Type.Integer({ default: 10_000, minimum: 100, maximum: 600_000, description: 'a whole number from 100 to 600000' })
})
type Environment = Static<typeof Environment>

/** Settings of the contract that do nothing yet: a node that was given one must not start without its effect. */
const notYet: Record<string, string> = {
  METRICS_PORT: 'there are no metrics',
  RATE_LIMIT: 'nothing is limited'
}

/** What a message must not repeat. */
const secret = new Set(['ACCESS_SECRET', 'TOKEN_SECRET', 'DATABASE_URL'])

export interface Settings {
  host: string
  /** 0: any free port. */
  port: number
  /** An absolute path. Nothing is there where `databaseUrl` is set. */
  dataDir: string
  /** PostgreSQL, with a password as a rule; absent: SQLite in `dataDir`. */
  databaseUrl?: string
  /** Start on a PostgreSQL that may lose what it has acknowledged. */
  databaseAllowUnsafe: boolean
  applicationId?: string
  accessKey?: string
  /** Base64. */
  accessSecret?: string
  tokenSecret?: string
  /** 0: tokens do not end. */
  tokenTtlSeconds: number
  corsOrigins: string[]
  heartbeatMs: number
  streamQueueBytes: number
  retentionMs: number
  logLevel: Environment['LOG_LEVEL']
  shutdownGraceMs: number
}

/**
 * Reads and checks all settings. An empty variable counts as one that is not set, as compose files
 * (`${PORT:-}`) have it. Throws one Error that names every wrong variable, what it is and what is right.
 */
export function readSettings (env: Record<string, string | undefined>): Settings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''))
  for (const [name, instead] of Object.entries(notYet)) {
    if (name in given) throw new Error(`${name} is set, but not supported yet: ${instead}. Unset it to start`)
  }
  if ('DATABASE_ALLOW_UNSAFE' in given && !('DATABASE_URL' in given)) {
    throw new Error('DATABASE_ALLOW_UNSAFE is set without DATABASE_URL: it says something about PostgreSQL only. Unset it to start')
  }
  const {
    DATABASE_URL, APPLICATION_ID: applicationId, ACCESS_KEY: accessKey, ACCESS_SECRET: accessSecret, TOKEN_SECRET: tokenSecret, ...rest
  } = check(given)
  return {
    host: rest.HOST,
    port: rest.PORT,
    dataDir: resolve(rest.DATA_DIR),
    ...(DATABASE_URL === undefined ? {} : { databaseUrl: readDatabaseUrl(DATABASE_URL) }),
    databaseAllowUnsafe: rest.DATABASE_ALLOW_UNSAFE,
    ...(applicationId === undefined ? {} : { applicationId }),
    ...(accessKey === undefined ? {} : { accessKey }),
    ...(accessSecret === undefined ? {} : { accessSecret }),
    ...(tokenSecret === undefined ? {} : { tokenSecret }),
    tokenTtlSeconds: rest.TOKEN_TTL_SECONDS,
    corsOrigins: readOrigins(rest.CORS_ORIGINS),
    heartbeatMs: rest.HEARTBEAT_MS,
    streamQueueBytes: rest.STREAM_QUEUE_BYTES,
    retentionMs: rest.EVENT_RETENTION_HOURS * 3_600_000,
    logLevel: rest.LOG_LEVEL,
    shutdownGraceMs: rest.SHUTDOWN_GRACE_MS
  }
}

function check (given: Record<string, string | undefined>): Environment {
  try {
    return envSchema<Environment>({ schema: Environment, data: { ...given }, env: false })
  } catch (err) {
    const faults = (err as { errors?: Array<{ instancePath: string }> }).errors
    if (faults === undefined) throw err
    const names = new Set(faults.map(({ instancePath }) => instancePath.slice(1)))
    throw new Error([...names].map((name) => wrong(name, given[name])).join('. '), { cause: err })
  }
}

/** Origins as a browser sends them. A wildcard is none: whoever may call is to be named. */
function readOrigins (list: string): string[] {
  const origins = list.split(',').map((origin) => origin.trim()).filter((origin) => origin !== '')
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) throw new Error(wrong('CORS_ORIGINS', origin))
  }
  return origins
}

/** What may follow the database's name, and what it may be. All else of a session the service sets itself. */
const databaseParameters: Record<string, string[]> = {
  sslmode: ['disable', 'allow', 'prefer', 'require', 'verify-full'],
  target_session_attrs: ['read-write', 'primary']
}

/** As libpq reads it, but complete: what is left out would come from somewhere else. WHATWG's URL knows no second host. */
function readDatabaseUrl (url: string): string {
  const hosts = databaseUrl.exec(url)?.groups?.hosts?.split(',')
  const isRight = hosts?.every(host => Number(host.split(':')[1] ?? 1) <= 65_535 && !host.endsWith(':0')) ?? false
  if (!isRight || !isDecodable(url)) throw new Error(wrong('DATABASE_URL', url))
  for (const [name, value] of new URLSearchParams(url.split('?')[1])) {
    const right = databaseParameters[name]
    if (right === undefined) throw new Error(`DATABASE_URL has the parameter ${JSON.stringify(name)}: it may have ${Object.keys(databaseParameters).join(' and ')}. Leave the others out`)
    if (!right.includes(value)) throw new Error(`DATABASE_URL has a wrong ${name}: it must be one of ${right.join(', ')}`)
  }
  return url
}

function isDecodable (text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function wrong (name: string, value: string | undefined): string {
  const { description: right } = Environment.properties[name as keyof Environment] as { description?: string }
  return `${name} is ${secret.has(name) ? 'not right (its value is not shown here)' : JSON.stringify(value)}: it must be ${right}`
}
