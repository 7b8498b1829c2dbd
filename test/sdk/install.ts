/**
 * Brings mitter's SDKs, as package-lock.json has them, into the node_modules of this directory. Where they are there
 * already, it only compares two files.
 *
 * They are a package of their own: what they bring along (an old axios, polyfills, a stand-in for a package that the
 * registry does not have) stays out of the project's dependencies.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const directory = import.meta.dirname
const lock = join(directory, 'package-lock.json')

/** Written last: an installation that was cut short has none, and is made again. */
const installedLock = join(directory, 'node_modules/.installed-package-lock.json')

if (!existsSync(installedLock) || !readFileSync(installedLock).equals(readFileSync(lock))) {
  // None of the packages needs its install script: they build native add-ons that are never loaded.
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: directory, stdio: 'inherit' })
  if (status !== 0) {
    console.error('mitter\'s SDKs, which the tests in test/sdk drive, could not be installed: try "npm ci" in test/sdk')
    process.exit(1)
  }
  copyFileSync(lock, installedLock)
}
