/** Two streams of one URL in one browser: Firefox holds the second of two requests back that it might answer from its cache. */
import { expect, it } from 'vitest'
import { until } from '../durability/conversation.ts'
import { browsersFor, openBrowser } from '../support/browser.ts'
import { freePort } from '../support/ports.ts'
import { spawnService, tokenFor } from '../support/process.ts'
import { PageServer } from './page.ts'

it.each(browsersFor('a second tab'))('in %s the streams of two users, and another of one of them, are live at once', { timeout: 120_000 }, async name => {
  const pages = await PageServer.start()
  const service = await spawnService({ env: { PORT: String(await freePort()), CORS_ORIGINS: pages.origin } })
  const browser = await openBrowser(name)
  try {
    const [amy, bob] = [await tokenFor(service, 'amy'), await tokenFor(service, 'bob')]
    for (const [token, options] of [[amy, {}], [bob, {}], [amy, { after: 'earliest' }]] as const) {
      const page = await browser.newPage()
      await page.goto(pages.origin)
      await page.evaluate(`import(${JSON.stringify(`${service.url}/client.js`)}).then(({ subscribe }) => {
        window.subscription = subscribe({ url: ${JSON.stringify(service.url)}, token: ${JSON.stringify(token)}, onEvent () {}, ...${JSON.stringify(options)} })
      })`)
      const begun = performance.now()
      await until('it is live', async () => await page.evaluate('window.subscription?.state') === 'live', 60_000)
      expect(performance.now() - begun).toBeLessThan(10_000)
    }
  } finally {
    await browser.close()
    await service.stop()
    pages.stop()
  }
})
