/** The module, as it is served, in the tabs of a real browser, on a page of another origin. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { browsersFor, openBrowser } from '../../../test/support/browser.ts'
import { freePort } from '../../../test/support/ports.ts'
import { asApplication, asUser, spawnService, tokenFor, type ServiceProcess } from '../../../test/support/process.ts'
import { send } from '../client.js'
import { startRoughProxy, type RoughProxy } from './rough-proxy.ts'

const channelId = 'general-1'
/** How long the network is away, and the machine asleep: more than two heartbeats. */
const AWAY_MS = Number(process.env.AWAY_MS ?? 6_000)

describe.skipIf(!browsersFor('the client').includes('chromium'))('in Chromium', () => {
  let dataDir: string
  let env: Record<string, string>
  let service: ServiceProcess
  let proxy: RoughProxy
  let token: string
  /** Answers a page, and tokens. */
  let pages: Server
  let page: string
  let asked: number
  let browser: Browser
  let tabs: Page[]
  beforeAll(async () => {
    pages = createServer(async (request, response) => {
      if (request.url !== '/token') return response.setHeader('content-type', 'text/html').end('<!doctype html><title>A page</title>')
      asked++
      const { body } = await asApplication(service, 'POST', '/v1/users/amy/tokens')
      response.end(body.userToken.signedToken)
    }).listen(0, '127.0.0.1')
    await once(pages, 'listening')
    page = `http://127.0.0.1:${(pages.address() as AddressInfo).port}/`
    dataDir = await mkdtemp(join(tmpdir(), 'channel-relay-client-'))
    env = { PORT: String(await freePort()), LOG_LEVEL: 'warn', HEARTBEAT_MS: '1000', CORS_ORIGINS: page.slice(0, -1) }
    service = await spawnService({ dataDir, env })
    token = await tokenFor(service, 'amy')
    await asUser(service, token, 'POST', '/v1/channels', { channelId, defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat' })
    browser = await openBrowser('chromium')
  }, 60_000)
  beforeEach(async () => {
    asked = 0
    tabs = []
    proxy = await startRoughProxy(service.url)
  })
  afterEach(async () => {
    for (const tab of tabs) await tab.close()
    await proxy.close()
  })
  afterAll(async () => {
    await browser.close()
    await service.stop()
    pages.close()
    pages.closeAllConnections()
    await rm(dataDir, { recursive: true, force: true })
  })

  let sent = 0
  const say = async (texts: number) => {
    const all: string[] = []
    for (; all.length < texts; sent++) {
      all.push(`text-${sent}`)
      await send({ url: service.url, channelId, token, message: all.at(-1)! })
    }
    return all
  }

  async function openTab (options: object = {}): Promise<Page> {
    const tab = await browser.newPage()
    await tab.goto(page)
    await tab.evaluate(`import(${JSON.stringify(proxy.url)} + '/client.js').then(({ subscribe, send }) => {
      globalThis.texts = []
      globalThis.states = []
      globalThis.send = message => send({ url: ${JSON.stringify(proxy.url)}, channelId: ${JSON.stringify(channelId)}, token: () => fetch('/token').then(answer => answer.text()), message })
      globalThis.subscription = subscribe({
        url: ${JSON.stringify(proxy.url)},
        token: () => fetch('/token').then(answer => answer.text()),
        heartbeatMs: 1000,
        onEvent: ({ data }) => { texts.push(data.text) },
        onState: (state, error) => { states.push(state, String(error ?? '')) },
        ...${JSON.stringify(options)}
      })
    })`)
    tabs.push(tab)
    return tab
  }

  /** Its process ends without a farewell. */
  const crash = async (tab: Page) => { await tab.goto('chrome://crash').catch(() => {}) }

  /** To all its processes, as when a machine sleeps. */
  const signalBrowser = (signal: NodeJS.Signals) => { process.kill(-browser.process()!.pid!, signal) }

  const live = async (all = tabs) => { for (const tab of all) while (await tab.evaluate('subscription.state') !== 'live') await sleep(20) }

  /** All have these, once each and in order. */
  async function have (texts: string[], all = tabs): Promise<void> {
    for (const [index, tab] of all.entries()) {
      const deadline = performance.now() + 60_000
      while (Number(await tab.evaluate('texts.length')) < texts.length && performance.now() < deadline) await sleep(20)
      expect(await tab.evaluate('texts'), `tab ${index}: ${await tab.evaluate('states.join(" ")')}`).toEqual(texts)
    }
  }

  /** There is one connection, now or soon. */
  async function oneIsLeft (): Promise<void> {
    const deadline = performance.now() + 30_000
    while (proxy.open() !== 1 && performance.now() < deadline) await sleep(20)
    expect(proxy.open()).toBe(1)
  }

  async function openSix (): Promise<void> {
    for (let left = 6; left > 0; left--) await openTab()
    await live()
  }

  it('six tabs have one connection, and each of them everything; calls of the page are answered', async () => {
    await openSix()
    const texts = await say(100)
    await have(texts)
    expect([proxy.made, proxy.open()]).toEqual([1, 1])
    expect(await tabs[5]!.evaluate('send("Grüße, 世界").then(({ textPayload }) => textPayload)')).toBe('Grüße, 世界')
    await have([...texts, 'Grüße, 世界'])
  })

  it('the next tab goes on where the one that has the connection is closed, or crashes', async () => {
    await openSix()
    const texts: string[] = []
    while (tabs.length > 1) {
      const more = say(30)
      await (tabs.length % 2 === 0 ? crash(tabs.shift()!) : tabs.shift()!.close())
      texts.push(...await more)
      await have(texts)
      await oneIsLeft()
    }
  })

  it('nothing is lost while the browser is offline', async () => {
    await openSix()
    for (const tab of tabs) await tab.setOfflineMode(true)
    const texts = await say(20)
    await sleep(AWAY_MS)
    expect(await tabs[0]!.evaluate('subscription.state')).not.toBe('live')
    for (const tab of tabs) await tab.setOfflineMode(false)
    await have(texts)
    await oneIsLeft()
    await have([...texts, ...await say(5)])
  })

  it('nothing is lost while the machine sleeps', async () => {
    await openSix()
    signalBrowser('SIGSTOP')
    const texts = await say(20)
    await sleep(AWAY_MS)
    signalBrowser('SIGCONT')
    await have(texts)
    await oneIsLeft()
    await have([...texts, ...await say(5)])
  })

  it('nothing is lost while the service is killed, and while it is stopped', async () => {
    await openSix()
    const texts: string[] = []
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      texts.push(...await say(10))
      await service.kill(signal)
      await sleep(1_000)
      service = await spawnService({ dataDir, env })
      texts.push(...await say(10))
      await have(texts)
      await oneIsLeft()
    }
  })

  it('another token is asked for when all are revoked, and nothing is lost', async () => {
    await openSix()
    expect(asked).toBe(6)
    const { body } = await asApplication(service, 'GET', '/v1/users/amy/tokens')
    for (const { tokenId } of body as Array<{ tokenId: string }>) {
      if (tokenId !== JSON.parse(atob(token.split('.')[1]!)).userTokenId) await asApplication(service, 'DELETE', `/v1/users/amy/tokens/${tokenId}`)
    }
    await have(await say(20))
    await live()
    await oneIsLeft()
  })

  it('each has a connection of its own where they are not to share', async () => {
    for (let left = 3; left > 0; left--) await openTab({ share: false })
    await live()
    expect(proxy.open()).toBe(3)
    await have(await say(10))
  })
})
