/** After which ends a bare `EventSource` comes back, and when, in real browsers: the table of docs/protocol.md, section 8, "A bare EventSource". */
import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PlayedNode, type Answer } from '../deploy/proxies/played-node.ts'
import { until } from '../durability/conversation.ts'
import { browserNames, browsersFor, type BrowserName } from '../support/browser.ts'
import type { PageClient } from './clients.ts'
import { ClientPage, PageServer } from './page.ts'

/** Tells its states, and what it gets. */
const watched: PageClient = {
  name: 'watched',
  survives: false,
  script: `
    const events = new EventSource(API + '/v1/users/me/events')
    events.onmessage = ({ data }) => console.log(data)
    events.onerror = () => console.log(events.readyState === EventSource.CLOSED ? 'closed for ever' : 'comes back')`
}

const frame = (data: string, retryMs: number) => `retry: ${retryMs}\nid: 1\ndata: ${data}\n\n`

const there = browsersFor('when an EventSource comes back')

const suite = (browser: BrowserName) => () => {
  let pages: PageServer
  let page: ClientPage
  let node: PlayedNode
  let answers: Answer[]
  let key = 0

  const answer: Answer = (request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('content-type', 'text/event-stream')
    answers.shift()?.(request, response)
  }
  const resumed: Answer = ({ headers }, response) => { response.write(frame(`after ${headers['last-event-id']}`, 100)) }

  beforeAll(async () => {
    pages = await PageServer.start()
    page = await ClientPage.open(browser, pages.origin)
  })
  afterAll(async () => {
    await page.close()
    pages.stop()
  })
  beforeEach(async () => { node = await PlayedNode.start(answer) })
  afterEach(() => node.end())

  /** Opens a stream, ends it so, and resolves to what is told thereafter, once there is so much of it. */
  async function after (end: (response: ServerResponse) => void, ...then: Answer[]): Promise<{ said: () => Promise<string[]> }> {
    const open = new Promise<ServerResponse>(resolve => {
      answers = [(_, response) => {
        response.write(frame('open', 100))
        resolve(response)
      }, ...then]
    })
    const name = `${++key}`
    await page.listen(name, watched, `http://127.0.0.1:${node.port}`, '')
    const said = async () => (await page.texts())[name]!.slice(1)
    const response = await open
    await until('it is open', async () => (await page.texts())[name]!.length > 0)
    end(response)
    return { said }
  }

  it.each(['ended', 'cut off'])('resumes where the stream is %s', async how => {
    const { said } = await after(response => { how === 'ended' ? response.end() : response.destroy() }, resumed)
    await until('it is back', async () => (await said()).includes('after 1'))
    expect(await said()).toEqual(['comes back', 'after 1'])
  })

  it('waits for as long as a bye says, of seconds and of minutes', async () => {
    let back = 0
    const ended = performance.now()
    const { said } = await after(response => response.end('retry: 3000\nevent: bye\ndata: {}\n\n'), (request, response) => {
      back = performance.now() - ended
      resumed(request, response)
      response.end('retry: 120000\nevent: bye\ndata: {}\n\n')
    })
    await until('it is back', async () => (await said()).length === 3)
    expect(back).toSatisfy((ms: number) => ms >= 3_000 && ms < 5_000)
    await delay(10_000)
    expect(await said()).toEqual(['comes back', 'after 1', 'comes back'])
    expect(node.got).toHaveLength(2)
  })

  it.each([401, 502, 503, 504])('is closed for ever by a %d', async status => {
    const { said } = await after(response => response.end(), (_, response) => response.writeHead(status).end())
    await until('it has said so', async () => (await said()).length === 2)
    await delay(1_000)
    expect(await said()).toEqual(['comes back', 'closed for ever'])
    expect(node.got).toHaveLength(2)
  })

  it(`${browser === 'firefox' ? 'is closed for ever where' : 'tries on while'} the connection is refused`, async () => {
    const { said } = await after(() => node.end(), resumed)
    await delay(3_000)
    node = await PlayedNode.start(answer, node.port)
    if (browser === 'firefox') {
      await delay(10_000)
      expect((await said()).at(-1)).toBe('closed for ever')
      expect(node.got).toEqual([])
    } else {
      await until('it is back', async () => (await said()).at(-1) === 'after 1')
    }
  })
}

for (const browser of browserNames) {
  describe.skipIf(!there.includes(browser))(`an EventSource in ${browser}`, suite(browser))
}
