/**
 * Brings what some tests drive into the node_modules of their directories, as the package-lock.json there has it. Where it
 * is there already, this only compares files.
 *
 * They are packages of their own: what mitter's SDKs bring along (an old axios, polyfills, a stand-in for a package that
 * the registry does not have), and what generates clients, stays out of the project's dependencies.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

for (const [name, what] of [['sdk', 'mitter\'s SDKs'], ['clients-generated', 'the generator of TypeScript clients']] as const) {
  const directory = join(import.meta.dirname, name)
  const lock = join(directory, 'package-lock.json')
  /** Written last: an installation that was cut short has none, and is made again. */
  const installedLock = join(directory, 'node_modules/.installed-package-lock.json')

  if (!existsSync(installedLock) || !readFileSync(installedLock).equals(readFileSync(lock))) {
    // None of the packages needs its install script: they build native add-ons that are never loaded.
    const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: directory, stdio: 'inherit' })
    if (status !== 0) {
      console.error(`${what}, which the tests in test/${name} drive, could not be installed: try "npm ci" in test/${name}`)
      process.exit(1)
    }
    copyFileSync(lock, installedLock)
  }
}
