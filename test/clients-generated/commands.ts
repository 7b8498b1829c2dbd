/** Runs what generates, compiles and starts clients, each of which brings what it needs. */
import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Bytes that a command may print: compilers say much where they fail. */
const MOST_OUTPUT_BYTES = 16 * 1024 * 1024

/** What a command prints. Throws with all of it where it fails. */
export async function output (command: string, args: string[], cwd: string, env: Record<string, string> = {}): Promise<string> {
  try {
    const { stdout } = await run(command, args, { cwd, env: { ...process.env, ...env }, maxBuffer: MOST_OUTPUT_BYTES })
    return stdout
  } catch (err) {
    const { stdout = '', stderr = '', message } = err as Error & { stdout?: string, stderr?: string }
    throw new Error(`${command} ${args.join(' ')} failed: ${stdout}${stderr === '' ? message : stderr}`, { cause: err })
  }
}

/** Why a language cannot be tried here, said aloud; undefined: it can. Each command must end well, and print what is asked for. */
export function missing (what: string, ...commands: Array<[command: string, args: string[], prints?: RegExp]>): string | undefined {
  const absent = commands.find(([command, args, prints = /(?:)/]) => {
    try {
      return !prints.test(execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }))
    } catch {
      return true
    }
  })
  if (absent === undefined) return undefined
  const reason = `"${absent[0]} ${absent[1].join(' ')}" does not do: ${what}`
  console.warn(`SKIPPED, a generated client: ${reason}`)
  return reason
}
