/** The page at /docs (protocol 9): open to everyone, whole by itself, and without a memory. */
import { runInNewContext } from 'node:vm'
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

it('makes a user for whoever types the access key in, and for no page of others', async () => {
  const make = async (headers: Record<string, string>) => await service.call('POST /v1/users', { body: {}, headers: { host: 'relay.example', ...headers } })
  expect((await make({ origin: 'https://relay.example', 'sec-fetch-site': 'same-origin' })).statusCode).toBe(200)
  for (const foreign of [{ origin: 'https://evil.example' }, { origin: 'https://relay.example', 'sec-fetch-site': 'cross-site' }]) {
    const { statusCode, headers } = await make(foreign)
    // Never challenged for, so that browsers keep no key which a page of others could ride on.
    expect([statusCode, headers['www-authenticate'], headers['access-control-allow-origin']]).toEqual([401, undefined, undefined])
  }
})

it('offers what the page can do only: it signs nothing, and streams are for reading about', async () => {
  const page = (await get('/docs/json')).json() as Document
  const schemes = ['bearer', 'userToken', 'basic', 'eventToken']
  expect(Object.keys(page.components.securitySchemes!)).toEqual(schemes)
  for (const [name, { security, tags, description }] of operationsOf(page)) {
    for (const scheme of security!.flatMap(requirement => Object.keys(requirement))) expect(schemes, name).toContain(scheme)
    if (tags.includes('events')) expect(description, name).toMatch(/not for trying here/i)
    else expect(description ?? '', name).not.toMatch(/trying/)
  }
  const { body } = await get('/docs/static/swagger-initializer.js')
  const { allowTryItOutFor } = configOf(body).plugins[0]!().statePlugins.spec.wrapSelectors
  const mayTry = operationsOf(page).filter(([name]) => allowTryItOutFor()(undefined, ...(name.split(' ').reverse() as [string, string])))
  expect(mayTry.length).toBe(operationsOf(page).filter(([, { tags }]) => !tags.includes('events')).length)
  expect(mayTry.filter(([, { tags }]) => tags.includes('events'))).toEqual([])
})

interface Plugin { statePlugins: { spec: { wrapSelectors: { allowTryItOutFor: () => (state: unknown, path: string, method: string) => boolean } } } }
interface Config { plugins: Array<() => Plugin> }

/** What the page is set up with: the browser reads it as JavaScript, and so does this. */
function configOf (script: string): Config {
  return runInNewContext(`(${/const config = ([^]+?)\n *const resConfig/.exec(script)![1]})`)
}

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
