/** The document generates clients for TypeScript and Python that pass their strict checks, and work. */
import { join } from 'node:path'
import { it } from 'vitest'
import { installPython } from '../support/python.ts'
import { missing, output } from './commands.ts'
import { document, mustWalk } from './walk.ts'

const TIMEOUT_MS = 300_000

it('TypeScript, by openapi-ts', async () => {
  const programs = join(import.meta.dirname, 'node_modules/.bin')
  await mustWalk('typescript', async directory => {
    await output(join(programs, 'openapi-ts'), ['--input', document, '--output', 'generated', '--client', '@hey-api/client-fetch', '--no-log-file'], directory)
    await output(join(programs, 'tsc'), [], directory)
    return async env => await output(process.execPath, ['built/walk.js'], directory, env)
  })
}, TIMEOUT_MS)

const noPython = missing('install python3 (3.10 or newer) and python3-venv', ['python3', ['-c', 'import sys, ensurepip; print(sys.version_info >= (3, 10))'], /True/])

it.skipIf(noPython !== undefined)('Python, by openapi-python-client', async () => {
  const programs = await installPython('python-client', join(import.meta.dirname, 'python/requirements.txt'))
  await mustWalk('python', async directory => {
    await output(join(programs, 'openapi-python-client'), ['generate', '--path', document, '--meta', 'none', '--output-path', 'generated', '--config', 'config.yml', '--fail-on-warning'], directory)
    await output(join(programs, 'mypy'), ['--strict', '--no-incremental', '.'], directory)
    return async env => await output(join(programs, 'python'), ['walk.py'], directory, { ...env, PYTHONDONTWRITEBYTECODE: '1' })
  })
}, TIMEOUT_MS)
