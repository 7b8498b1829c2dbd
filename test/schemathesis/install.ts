/** Schemathesis in a Python environment of its own, kept between runs for as long as its version is the one asked for. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const requirements = join(import.meta.dirname, 'requirements.txt')

/** The path of its program. Throws a sentence that says what is missing. */
export async function installSchemathesis (): Promise<string> {
  const version = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16)
  const environment = join(tmpdir(), `channel-relay-schemathesis-${version}`)
  const program = join(environment, 'bin/schemathesis')
  // A mark, written last: an installation that was cut short has none.
  if (existsSync(join(environment, 'complete'))) return program
  rmSync(environment, { recursive: true, force: true })
  await step('Python 3.10 or newer with its venv module is needed to run Schemathesis: install python3 and python3-venv', 'python3', ['-m', 'venv', environment])
  await step('Schemathesis could not be installed: see that pip reaches its package index', join(environment, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements])
  writeFileSync(join(environment, 'complete'), '')
  return program
}

async function step (whatIsMissing: string, command: string, args: string[]): Promise<void> {
  try {
    await run(command, args)
  } catch (err) {
    const { stderr, message } = err as Error & { stderr?: string }
    throw new Error(`${whatIsMissing} (${(stderr || message).trim().split('\n').at(-1)})`, { cause: err })
  }
}
