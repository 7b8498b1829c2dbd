/**
 * `npm run migrate -- --from ./data --to postgres://…`: moves the store of a DATA_DIR into PostgreSQL, whole, and seals it
 * (docs/moving.md). What it came to is on standard output, how far it is on standard error where a terminal reads that.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readSettings } from './settings.ts'
import { move, type Moved, type OnProgress } from './store/moving/move.ts'

const USAGE = 'Usage: npm run migrate -- --from ./data --to postgres://user:password@host:5432/database, or with DATABASE_URL in the place of --to, which keeps the password out of the list of processes'

/** How often a terminal is told, in milliseconds. */
const TOLD_MS = 100

process.umask(0o077)
try {
  const { from, to } = readArguments()
  const { dataDir, databaseUrl: url, databaseAllowUnsafe: allowUnsafe } = readSettings({
    DATA_DIR: from, DATABASE_URL: to, DATABASE_ALLOW_UNSAFE: process.env.DATABASE_ALLOW_UNSAFE
  })
  console.log(report(dataDir, await move({ dataDir, url: url!, allowUnsafe, onProgress: progress() })))
} catch (err) {
  console.error((err as Error).message)
  process.exitCode = 1
}

function readArguments (): { from: string, to: string } {
  try {
    const { values: { from, to = process.env.DATABASE_URL } } = parseArgs({ options: { from: { type: 'string' }, to: { type: 'string' } } })
    if (from && to) return { from, to }
  } catch (err) {
    throw new Error(USAGE, { cause: err })
  }
  throw new Error(USAGE)
}

/** One line of a terminal, which stands for what is being done. */
function progress (): OnProgress {
  if (!process.stderr.isTTY) return () => {}
  let toldAt = -Infinity
  let last = ''
  process.once('exit', () => process.stderr.write('\r\x1b[K'))
  return (doing, done, of) => {
    if (doing === last && performance.now() - toldAt < TOLD_MS) return
    [toldAt, last] = [performance.now(), doing]
    process.stderr.write(`\r\x1b[K${doing}, ${done.toLocaleString('en')} of ${of.toLocaleString('en')}`)
  }
}

function report (dataDir: string, { to, epoch, sums }: Moved): string {
  const lines = Object.entries(sums ?? {}).map(([name, { rows, checksum }]) => `  ${name.padEnd(18)}${String(rows).padStart(12)}  ${checksum}\n`)
  const compared = lines.length === 0 ? '' : `\nRows of each table, and their SHA-256, alike on both sides:\n\n${lines.join('')}`
  return `The store in ${dataDir} is now in ${to} (its epoch is ${epoch}).
${compared}
${dataDir} is sealed: no service starts on it. Keep it as it is until you trust the new one.
${settingsOf(dataDir)}`
}

/** Names and places, no secrets: a terminal's history, or the log of a pipeline, is no place for them. */
function settingsOf (dataDir: string): string {
  const file = join(dataDir, 'credentials.json')
  const settings = ['APPLICATION_ID', 'ACCESS_KEY', 'ACCESS_SECRET', 'TOKEN_SECRET']
  if (!existsSync(file)) return `Every node needs DATABASE_URL, and ${settings.join(', ')} as the service had them in its environment.`
  const members: Record<string, string> = { APPLICATION_ID: 'applicationId', ACCESS_KEY: 'accessKey', ACCESS_SECRET: 'accessSecret', TOKEN_SECRET: 'tokenSecret' }
  return `Every node needs DATABASE_URL, and these as the service had them in its environment, or else as they are in ${file}:

${settings.map(name => `  ${name.padEnd(16)}${members[name]}\n`).join('')}`
}
