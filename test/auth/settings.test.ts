import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSettings } from '../../src/settings.ts'

test('without any variable the documented defaults hold', () => {
  expect(readSettings({})).toEqual({
    host: '127.0.0.1',
    port: 11902,
    dataDir: resolve('data'),
    databaseAllowUnsafe: false,
    tokenTtlSeconds: 2_592_000,
    corsOrigins: [],
    heartbeatMs: 15_000,
    streamQueueBytes: 1_048_576,
    retentionMs: 604_800_000,
    logLevel: 'info',
    shutdownGraceMs: 10_000
  })
})

test('variables are read as what they are', () => {
  expect(readSettings({ PORT: '0', CORS_ORIGINS: 'https://a.example, http://localhost:3000', EVENT_RETENTION_HOURS: '2', TOKEN_TTL_SECONDS: '0' }))
    .toMatchObject({ port: 0, corsOrigins: ['https://a.example', 'http://localhost:3000'], retentionMs: 7_200_000, tokenTtlSeconds: 0 })
})

test('an empty variable counts as one that is not set', () => {
  expect(readSettings({ PORT: '', HOST: ' ', DATABASE_URL: '' })).toEqual(readSettings({}))
})

test('unknown variables are nobody\'s business', () => {
  expect(readSettings({ PATH: '/bin', PORTS: 'x' })).toEqual(readSettings({}))
})

describe('a wrong variable is refused by name, with what was given and what would be right', () => {
  test.each([
    ['PORT', '65536', 'from 0 to 65535'],
    ['PORT', '-1', 'from 0 to 65535'],
    ['PORT', '80a', 'a whole number'],
    ['PORT', '1.5', 'a whole number'],
    ['HOST', 'http://x', 'a host name'],
    ['APPLICATION_ID', 'a~b', 'without > ? ~'],
    ['APPLICATION_ID', 'ä', 'ASCII'],
    ['ACCESS_KEY', 'a:b', 'without a colon'],
    ['TOKEN_TTL_SECONDS', '-1', 'from 0 to 315360000'],
    ['CORS_ORIGINS', 'https://a.example/', 'origins'],
    ['CORS_ORIGINS', '*', 'origins'],
    ['HEARTBEAT_MS', '0', 'from 100 to 600000'],
    ['STREAM_QUEUE_BYTES', '1', 'from 65536'],
    ['EVENT_RETENTION_HOURS', '0', 'from 1 to 87600'],
    ['SHUTDOWN_GRACE_MS', '1', 'from 100 to 600000'],
    ['LOG_LEVEL', 'loud', 'one of trace, debug, info, warn, error, fatal, silent']
  ])('%s=%s', (name, value, right) => {
    const message = messageOf({ [name]: value })
    expect(message).toContain(name)
    expect(message).toContain(JSON.stringify(value))
    expect(message).toContain(right)
  })
})

test.each([
  ['ACCESS_SECRET', 'not-base64-at-all!!!!!!!!', 'base64'],
  ['ACCESS_SECRET', 'c2hvcnQ=', 'at least 16 bytes'],
  ['TOKEN_SECRET', 'tooshort', '64 to 1024 characters']
])('a wrong %s is not repeated in the message (%s)', (name, value, right) => {
  const message = messageOf({ [name]: value })
  expect(message).toContain(name)
  expect(message).toContain(right)
  expect(message).not.toContain(value)
})

test('all wrong variables are named at once', () => {
  const message = messageOf({ PORT: 'x', LOG_LEVEL: 'y' })
  expect(message).toContain('PORT')
  expect(message).toContain('LOG_LEVEL')
})

test.each([
  'postgres://user:password@db.example.com:5432/relay',
  'postgresql://user@10.0.0.1/relay',
  'postgres://user:p%40ss%3Aword@db-1:5432,db-2:5433,db-3/relay?target_session_attrs=read-write&sslmode=verify-full'
])('%s is a database, and kept as it is', (url) => {
  expect(readSettings({ DATABASE_URL: url })).toMatchObject({ databaseUrl: url, databaseAllowUnsafe: false })
})

test.each([
  ['another database', 'mysql://user:hush@host/relay'],
  ['a file', './data/hush.db'],
  ['no host', 'postgres://user:hush@/relay'],
  ['no database', 'postgres://user:hush@host'],
  ['an empty host among others', 'postgres://user:hush@host,,other/relay'],
  ['a port beyond the last', 'postgres://user:hush@host:5432,other:65536/relay'],
  ['no port behind a colon', 'postgres://user:hush@host:/relay'],
  ['an address that the driver does not know', 'postgres://user:hush@[::1]:5432/relay'],
  ['a password with an @ in it', 'postgres://user:hu@sh@host/relay'],
  ['a password with a / in it', 'postgres://user:hu/sh@host/relay'],
  ['a password that is no text', 'postgres://user:hush%ff@host/relay'],
  ['half an escape', 'postgres://user:hush%4@host/relay'],
  ['a fragment', 'postgres://user:hush@host/relay#hush'],
  ['a line end', 'postgres://user:hush@host/relay\n']
])('a DATABASE_URL with %s is refused in one sentence, without a word of it', (_, url) => {
  const message = messageOf({ DATABASE_URL: url })
  expect(message).toMatch(/^DATABASE_URL is not right .* it must be postgres:\/\/user:password@host/)
  expect(message).not.toMatch(/hush|hu@sh|hu\/sh/)
  expect(message).not.toContain('\n')
})

test.each([
  ['channel_binding=prefer', /^DATABASE_URL has the parameter "channel_binding": it may have sslmode and target_session_attrs\. Leave the others out$/],
  ['sslmode=require&lock_timeout=0', /the parameter "lock_timeout"/],
  ['application_name=hush', /the parameter "application_name"/],
  ['target_session_attrs=standby', /^DATABASE_URL has a wrong target_session_attrs: it must be one of read-write, primary$/],
  ['sslmode=hush', /^DATABASE_URL has a wrong sslmode: /]
])('a DATABASE_URL with ?%s is refused, and what may be there is said', (parameters, right) => {
  const message = messageOf({ DATABASE_URL: `postgres://user:hush@host/relay?${parameters}` })
  expect(message).toMatch(right)
  expect(message).not.toContain('hush')
})

test('DATABASE_ALLOW_UNSAFE is for a database only: without DATABASE_URL it is refused, whatever it says', () => {
  const DATABASE_URL = 'postgres://user@host/relay'
  expect(readSettings({ DATABASE_URL, DATABASE_ALLOW_UNSAFE: 'true' })).toMatchObject({ databaseAllowUnsafe: true })
  expect(readSettings({ DATABASE_URL, DATABASE_ALLOW_UNSAFE: 'false' })).toMatchObject({ databaseAllowUnsafe: false })
  expect(messageOf({ DATABASE_URL, DATABASE_ALLOW_UNSAFE: 'yes' })).toMatch(/^DATABASE_ALLOW_UNSAFE is "yes": it must be true or false/)
  for (const DATABASE_ALLOW_UNSAFE of ['true', 'false']) expect(messageOf({ DATABASE_ALLOW_UNSAFE })).toMatch(/^DATABASE_ALLOW_UNSAFE is set without DATABASE_URL/)
})

test.each(['METRICS_PORT', 'RATE_LIMIT'])('%s has no effect yet, so a start with it is refused', (name) => {
  expect(messageOf({ [name]: '1' })).toMatch(new RegExp(`^${name} is set, but not supported yet`))
})

function messageOf (env: Record<string, string>): string {
  try {
    readSettings(env)
  } catch (err) {
    return (err as Error).message
  }
  throw new Error('nothing was refused')
}
