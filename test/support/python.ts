/** Python programs in environments of their own, each kept between runs for as long as its requirements are the same. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The directory of its programs, Python among them. `name`: what it is for. Throws a sentence that says what is missing. */
export async function installPython (name: string, requirements: string): Promise<string> {
  const version = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16)
  const environment = join(tmpdir(), `channel-relay-${name}-${version}`)
  const programs = join(environment, 'bin')
  // A mark, written last: an installation that was cut short has none.
  if (existsSync(join(environment, 'complete'))) return programs
  rmSync(environment, { recursive: true, force: true })
  await step(`Python 3.10 or newer with its venv module is needed for ${name}: install python3 and python3-venv`, 'python3', ['-m', 'venv', environment])
  await step(`${name} could not be installed: see that pip reaches its package index`, join(programs, 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements])
  writeFileSync(join(environment, 'complete'), '')
  return programs
}

async function step (whatIsMissing: string, command: string, args: string[]): Promise<void> {
  try {
    await run(command, args)
  } catch (err) {
    const { stderr, message } = err as Error & { stderr?: string }
    throw new Error(`${whatIsMissing} (${(stderr || message).trim().split('\n').at(-1)})`, { cause: err })
  }
}
