/** Real browsers, without a window: Chromium and Firefox, where they are on this machine. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { launch, type Browser } from 'puppeteer-core'

export type BrowserName = 'chromium' | 'firefox'

const programs: Record<BrowserName, string[]> = {
  chromium: ['chromium', 'chromium-browser', 'google-chrome'],
  firefox: ['firefox-esr', 'firefox']
}

export const browserNames = Object.keys(programs) as BrowserName[]

/** Where a browser is; undefined: nowhere on the path. */
function pathOf (name: BrowserName): string | undefined {
  const places = (process.env.PATH ?? '').split(':').flatMap(directory => programs[name].map(program => join(directory, program)))
  return places.find(place => {
    try {
      accessSync(place, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Those that are there. Says aloud which is missing, and what is not tested therefore. */
export function browsersFor (what: string): BrowserName[] {
  return browserNames.filter(name => {
    const isThere = pathOf(name) !== undefined
    if (!isThere) console.warn(`${name} is not on this machine: ${what} is not tested in it (CONTRIBUTING.md says how it is installed)`)
    return isThere
  })
}

/** Starts one with a profile of its own, which takes certificates that nobody vouches for. Whoever starts it closes it. */
export async function openBrowser (name: BrowserName): Promise<Browser> {
  const executablePath = pathOf(name)
  if (executablePath === undefined) throw new Error(`${name} is not on this machine`)
  return await launch({
    browser: name === 'chromium' ? 'chrome' : 'firefox',
    executablePath,
    headless: true,
    acceptInsecureCerts: true,
    // Chromium's sandbox refuses root, and /dev/shm is small in containers.
    args: name === 'chromium' ? ['--no-sandbox', '--disable-dev-shm-usage'] : []
  })
}
