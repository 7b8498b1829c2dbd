/** Programs of this directory that are written in C: each a directory of sources, compiled when it is first needed. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'

const BUILT = join(import.meta.dirname, 'built')

/** Whether this machine can compile them. */
export const hasCompiler = (): boolean => spawnSync('cc', ['--version'], { stdio: 'ignore' }).status === 0

/** Answers its path. Throws where there is no compiler, or it does not compile. */
export function compile (name: string): string {
  const directory = join(import.meta.dirname, name)
  const binary = join(BUILT, name)
  const sources = readdirSync(directory).map(file => join(directory, file))
  if (existsSync(binary) && sources.every(path => statSync(path).mtimeMs < statSync(binary).mtimeMs)) return binary
  if (!hasCompiler()) throw new Error(`bench/${name} is written in C and there is no C compiler here: install one that is called cc (Debian: apt-get install gcc libc6-dev)`)
  mkdirSync(BUILT, { recursive: true })
  const cFiles = sources.filter(path => path.endsWith('.c'))
  // Under a name of its own first: another process may be about to start it.
  const made = `${binary}-${process.pid}`
  const { status, stderr } = spawnSync('cc', ['-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-Wno-missing-field-initializers', '-o', made, ...cFiles, '-lm'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`bench/${name} does not compile:\n${stderr}`)
  renameSync(made, binary)
  return binary
}
