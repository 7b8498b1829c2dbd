/** The page at /docs (protocol 9): open to everyone, whole by itself, and without a memory. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startService, type Service } from '../http/service.ts'
import { operationsOf, type Document } from './document.ts'

let service: Service
beforeAll(async () => { service = await startService() })
afterAll(() => service.stop())

const get = async (path: string) => await service.call(`GET ${path}`, { as: null })

it('is answered with all that it loads, without credentials, with and without a slash at the end', async () => {
  for (const path of ['/docs', '/docs/']) {
    const { statusCode, headers, body } = await get(path)
    expect([statusCode, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    const loaded = [...body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, url]) => new URL(url!, `http://service${path}`))
    expect(loaded.length).toBeGreaterThan(4)
    for (const { host, pathname } of loaded) {
      expect(host).toBe('service')
      expect((await get(pathname)).statusCode, pathname).toBe(200)
    }
  }
})

it('keeps no credentials', async () => {
  const { body } = await get('/docs/static/swagger-initializer.js')
  expect(body).toMatch(/"persistAuthorization":\s*false/)
  expect((await get('/docs')).headers['set-cookie']).toBeUndefined()
})

it('lets nothing in and nothing out but from and to this service', async () => {
  for (const path of ['/docs', '/docs/static/swagger-initializer.js', '/docs/json']) {
    const policy = String((await get(path)).headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'; script-src 'self';")
    expect(policy).toContain("connect-src 'self';")
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|https?:|\*/)
  }
})

it('shows every operation of the document, and calls this service', async () => {
  const [document, page] = await Promise.all(['/openapi.json', '/docs/json'].map(async path => (await get(path)).json() as Document))
  expect(operationsOf(page!).map(([name]) => name)).toEqual(operationsOf(document!).map(([name]) => name))
  expect(page!.servers).toEqual([{ url: '/', description: 'This service' }])
})

it('fills in what must be there, and nothing else', async () => {
  const parameters = operationsOf((await get('/docs/json')).json()).flatMap(([, { parameters = [] }]) => parameters)
  expect(parameters.filter(({ required, example }) => (required === true) !== (example !== undefined))).toEqual([])
  expect(parameters.length).toBeGreaterThan(0)
})

it('has its errors in the envelope', async () => {
  for (const path of ['/docs/nothing', '/docs/static/nothing', '/docs/static/..%2f..%2fpackage.json', '/docs/static/%2e%2e/package.json']) {
    expect((await get(path)).json(), path).toMatchObject({ errorCode: 'entity_not_found', instanceId: expect.any(String) })
  }
  for (const path of ['/docs', '/docs/', '/docs/static/swagger-ui.css']) {
    const { statusCode, headers, body } = await service.call(`POST ${path}`, { as: null })
    expect([statusCode, headers.allow, JSON.parse(body).errorCode], path).toEqual([405, 'GET, HEAD', 'method_not_allowed'])
  }
})
