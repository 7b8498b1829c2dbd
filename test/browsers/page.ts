/** A page in a real browser, in which clients listen. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'puppeteer-core'
import { openBrowser, type BrowserName } from '../support/browser.ts'
import type { PageClient } from './clients.ts'

/** Where pages come from: an origin of their own, as an application's would be. */
export class PageServer {
  readonly origin: string
  readonly #server: Server

  private constructor (server: Server) {
    this.#server = server
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async start (): Promise<PageServer> {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>A page</title>')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new PageServer(server)
  }

  stop (): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

export class ClientPage {
  readonly browserName: BrowserName
  readonly #browser: Browser
  readonly #page: Page

  private constructor (browserName: BrowserName, browser: Browser, page: Page) {
    this.browserName = browserName
    this.#browser = browser
    this.#page = page
  }

  static async open (browserName: BrowserName, origin: string): Promise<ClientPage> {
    const browser = await openBrowser(browserName)
    const page = await browser.newPage()
    await page.goto(origin)
    await page.evaluate('window.texts = {}')
    return new ClientPage(browserName, browser, page)
  }

  /** Begins to listen at a URL; what comes is kept under a key. */
  async listen (key: string, { script }: PageClient, url: string, token: string): Promise<void> {
    const given = [url, token].map(text => JSON.stringify(text)).join()
    await this.#page.evaluate(`{
      const texts = window.texts[${JSON.stringify(key)}] = []
      const take = text => { texts.push(text) }
      ;(async (API, token, console) => {${script}
      })(${given}, { log: take, warn: take }).catch(take)
      undefined
    }`)
  }

  /** What has come so far, in order, by key. */
  async texts (): Promise<Record<string, string[]>> {
    return await this.#page.evaluate('window.texts') as Record<string, string[]>
  }

  async close (): Promise<void> {
    await this.#browser.close()
  }
}
