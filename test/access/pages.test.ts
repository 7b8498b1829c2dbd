/** Lists of messages that have lists of their own (docs/access.md): what a reader sees is what it counts, and much that it does not see ends a page early. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseLists } from '../../src/rules/access-entries.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, join, send } from '../support/commands.ts'

const ROOM = 'town-square'
/** More than a page looks at. */
const HIDDEN = 2_500

let on: TestApp
let amy: Record<string, string>
let bob: Record<string, string>

beforeAll(async () => {
  on = await startApp({ alone: true })
  amy = await on.user('amy')
  bob = await on.user('bob')
  await on.store.append(createChannel('amy', ROOM))
  await on.store.append(join('bob', ROOM))
  await say('first')
  for (let sent = 0; sent < HIDDEN; sent += 500) await Promise.all(Array.from({ length: 500 }, (_, index) => say(`hidden ${sent + index}`, '-read_message:user(bob)')))
  for (let sent = 0; sent < 60; sent++) await say(`whisper ${sent}`, '+read_message:user(bob)')
  await say('last')
})
afterAll(() => on.stop())

function say (text: string, lists?: string): Promise<unknown> {
  const acls = parseLists(lists, { kind: 'message', channelId: ROOM })
  return on.store.append({ ...send('amy', ROOM, text), ...(acls === undefined ? {} : { acls }) })
}

interface Page {
  texts: string[]
  next: string | undefined
  count: string | null
  body: string
}

async function page (as: Record<string, string>, path: string): Promise<Page> {
  const response = await fetch(on.url + path, { headers: as })
  const body = await response.text()
  expect(response.status, body).toBe(200)
  const next = /^<(.+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
  return { texts: JSON.parse(body).map((message: { textPayload: string }) => message.textPayload), next, count: response.headers.get('x-mitter-paginated-estimated-count'), body }
}

async function all (as: Record<string, string>, path: string): Promise<{ texts: string[], pages: number }> {
  const texts: string[] = []
  let pages = 0
  for (let at: string | undefined = path; at !== undefined; pages++) {
    const found: Page = await page(as, at)
    texts.push(...found.texts)
    at = found.next
  }
  return { texts, pages }
}

const whispers = Array.from({ length: 60 }, (_, sent) => `whisper ${sent}`)
const list = `/v1/channels/${ROOM}/messages`

it.each([1, 7, 45, 200])('pages of %i bring whoever may not see most of them all that it may, newest first', async limit => {
  const { texts, pages } = await all(bob, `${list}?limit=${limit}`)
  expect(texts).toEqual(['last', ...whispers.toReversed(), 'first'])
  expect(pages).toBeLessThanOrEqual(Math.ceil(62 / limit) + 3)
})

it('and oldest first, from one that it may see', async () => {
  const { body } = await page(bob, `${list}?limit=200`)
  const last = JSON.parse(body)[0].messageId
  const first = (await all(bob, list)).texts.at(-1)
  expect(first).toBe('first')
  expect((await page(bob, `${list}?after=${last}`)).texts).toEqual([])
  const { texts } = await all(bob, `${list}?after=.1.0&limit=50`)
  expect(texts).toEqual(['first', ...whispers, 'last'])
})

it('whom nothing is kept from, all of them, but for whispers to others', async () => {
  const { texts } = await all(amy, `${list}?limit=200`)
  expect(texts).toHaveLength(HIDDEN + 2)
  expect((await page(on.application, list)).count).toBe(String(HIDDEN + 62))
  // Of those with lists only what it may read by a class is counted: who is not to know of some learns nothing from the number.
  expect((await page(amy, list)).count).toBe('2')
  expect((await page(bob, list)).count).toBe('2')
})

it('an offset counts what the reader sees, and what is left of it goes on with the page', async () => {
  expect((await page(bob, `${list}?limit=2&entityCountOffset=60`)).texts).toEqual(['whisper 0'])
  const { texts } = await all(bob, `${list}?limit=2&entityCountOffset=61`)
  expect(texts).toEqual(['first'])
})

it('nothing that a page says names what its reader may not see', async () => {
  const hidden = JSON.parse((await page(amy, `${list}?limit=200&entityCountOffset=1`)).body)[0].messageId
  for (let at: string | undefined = `${list}?limit=45`; at !== undefined;) {
    const found: Page = await page(bob, at)
    expect(found.body + (found.next ?? '')).not.toContain('hidden')
    at = found.next
  }
  for (const path of [`/v1/messages/${hidden}`, `${list}?before=${hidden}`, `${list}?after=${hidden}`, `${list}/${hidden}/timeline`]) {
    const response = await fetch(on.url + path, { headers: bob })
    expect([response.status, (await response.json() as { errorCode: string }).errorCode], path).toEqual([404, 'entity_not_found'])
  }
})
