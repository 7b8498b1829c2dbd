/** Commands of the documents, run as a reader would paste them: all of a document's, one after the other, in one shell. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { projectDir, type ServiceProcess } from '../support/process.ts'
import type { Block } from './blocks.ts'

/** Streams go on until somebody ends them: here after this time, in seconds. */
const STREAM_SECONDS = 1

/** In the place of curl: the same, but that streams end. */
const curl = `#!/bin/bash
PATH=\${PATH#*:}
case " $* " in *' -N '*)
  curl --max-time ${STREAM_SECONDS} "$@"; code=$?
  [ $code = 28 ] && exit 0 || exit $code ;;
esac
exec curl "$@"
`

/** In the place of npm, of which a second goes into starting: what its script runs. */
const npm = `#!/bin/bash
[ "$1 $2 $3 $4" = 'run -s token --' ] || { echo "there is no npm for: $*"; exit 1; }
exec node src/token.ts "\${@:5}"
`

/** Puts both into a directory that is to be the first of PATH. */
export function putShims (directory: string): void {
  writeFileSync(join(directory, 'curl'), curl, { mode: 0o755 })
  writeFileSync(join(directory, 'npm'), npm, { mode: 0o755 })
}

const MARK = '--- the next block ---'

/** @returns what each of them printed, both outputs together. Throws where one of them fails. */
export async function runBlocks (blocks: Block[], { url, dataDir }: Pick<ServiceProcess, 'url' | 'dataDir'>): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'channel-relay-shell-'))
  try {
    putShims(directory)
    const script = blocks.map(({ text, line, heading }) => `AT='${heading.replaceAll("'", '')}, line ${line}'\n${text}\necho '${MARK}'\n`).join('')
      .replaceAll('http://127.0.0.1:11902', url).replaceAll('./data', dataDir)
    const child = spawn('bash', ['-c', `exec 2>&1; set -eE -o pipefail; trap 'echo "failed: $AT: $BASH_COMMAND"' ERR\n${script}`], {
      cwd: projectDir,
      env: { PATH: `${directory}:${dirname(process.execPath)}:${process.env.PATH}`, HOME: directory, DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'ignore']
    })
    const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    if (code !== 0) throw new Error(`exit ${code}:\n${printed}`)
    return printed.split(`${MARK}\n`).slice(0, -1)
  } finally {
    rmSync(directory, { recursive: true })
  }
}
