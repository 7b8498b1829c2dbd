/** examples/page.html, from the site that examples/web.mjs is, in real browsers: two people write to each other. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { expect, it } from 'vitest'
import { until } from '../durability/conversation.ts'
import { browsersFor, openBrowser } from '../support/browser.ts'
import { freePort } from '../support/ports.ts'
import { projectDir, spawnService } from '../support/process.ts'

it.each(browsersFor('examples/page.html'))('two people in %s write to each other, over a restart', { timeout: 120_000 }, async name => {
  const [port, sitePort] = [String(await freePort()), String(await freePort())]
  const env = { PORT: port, CORS_ORIGINS: `http://localhost:${sitePort}` }
  let service = await spawnService({ env })
  const { dataDir } = service
  const site = spawn(process.execPath, ['examples/web.mjs'], {
    cwd: projectDir, env: { API: service.url, CREDENTIALS: join(dataDir, 'credentials.json'), PORT: sitePort }, stdio: ['ignore', 'pipe', 'inherit']
  })
  await once(site.stdout, 'data')
  const browser = await openBrowser(name)
  try {
    const open = async (user: string): Promise<Page> => {
      const page = await browser.newPage()
      await page.goto(`http://localhost:${sitePort}/?user=${user}`)
      await page.waitForSelector('fieldset:not([disabled])')
      return page
    }
    const say = async (page: Page, text: string) => {
      await page.bringToFront()
      await page.type('#text', text)
      await page.keyboard.press('Enter')
    }
    const seen = async (page: Page): Promise<string[]> => await page.$$eval('#messages li', items => items.map(item => item.textContent))
    const both = async (texts: string[]) => {
      for (const page of [amy, bob]) await until(`both see ${texts.at(-1)}`, async () => JSON.stringify(await seen(page)) === JSON.stringify(texts), 40_000)
    }
    const [amy, bob] = [await open('amy'), await open('bob')]
    await say(amy, 'Hello, bob')
    await both(['amy: Hello, bob'])
    await service.kill('SIGKILL')
    await say(bob, 'Are you there?')
    service = await spawnService({ dataDir, env })
    await both(['amy: Hello, bob', 'bob: Are you there?'])
    expect((await seen(bob)).length).toBe(2)
  } finally {
    await browser.close()
    site.kill()
    await service.stop()
  }
})
