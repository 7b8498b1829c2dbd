/** GET /client.js (protocol 9), and what is published. */
import { existsSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startService, type Service } from '../../../test/http/service.ts'
import * as client from '../client.js'
import manifest from '../package.json' with { type: 'json' }
import { begin, frame, startStub } from './stub.ts'

let service: Service
beforeAll(async () => { service = await startService([], ['https://app.example']) })
afterAll(() => service.stop())

const get = async (headers: Record<string, string> = {}) => await service.call('GET /client.js', { as: null, headers })
const imported = async (): Promise<typeof client> => await import(`data:text/javascript,${encodeURIComponent((await get()).body)}`)

it('has at most 3 KiB when it is compressed, and imports nothing', async () => {
  const { statusCode, headers, body } = await get()
  expect([statusCode, headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8'])
  expect(gzipSync(body, { level: 9 }).length).toBeLessThanOrEqual(3_072)
  expect(readFileSync(new URL('../client.js', import.meta.url), 'utf8') + body).not.toMatch(/\bimport\b/)
})

it('is for pages of any origin', async () => {
  for (const origin of ['https://app.example', 'https://other.example']) {
    const { headers } = await get({ origin })
    expect(headers).toMatchObject({ 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin', 'x-content-type-options': 'nosniff' })
  }
})

it('is not sent again to whoever has it', async () => {
  const { headers } = await get()
  expect(headers['cache-control']).toMatch(/^public, max-age=\d+$/)
  const { statusCode, body } = await get({ 'if-none-match': `W/${String(headers.etag)}` })
  expect([statusCode, body]).toEqual([304, ''])
  expect((await get({ 'if-none-match': '"another"' })).statusCode).toBe(200)
})

it('does what the source does', async () => {
  const served = await imported()
  expect(Object.keys(served).sort()).toEqual(Object.keys(client).sort())
  const stub = await startStub(response => begin(response, frame('c-1', { text: 'Hello' })))
  const event = await new Promise(resolve => {
    const { close } = served.subscribe({ url: stub.url, token: 'a', onEvent: event => { resolve(event); close() } })
  })
  expect(event).toEqual({ type: 'message', id: 'c-1', data: { text: 'Hello' } })
  await stub.close()
})

it('is published with its types, and needs nothing', () => {
  for (const file of [...manifest.files, 'README.md', 'LICENSE']) expect(existsSync(new URL(`../${file}`, import.meta.url)), file).toBe(true)
  expect(manifest.files).toEqual(expect.arrayContaining(Object.values(manifest.exports['.']).map(path => path.slice(2))))
  expect(Object.keys(manifest)).not.toEqual(expect.arrayContaining([expect.stringMatching(/dependencies/i)]))
})
