/** Health, the OpenAPI document, CORS, and the log (protocol 1, rule 7 and 9). */
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applicationAuthorization, startService, type Service } from './service.ts'

const origin = 'https://app.example'
let service: Service
beforeAll(async () => { service = await startService(['amy'], [origin]) })
afterAll(() => service.stop())

describe('health', () => {
  it('is told to everyone', async () => {
    for (const path of ['/health', '/health/live', '/health/ready']) {
      expect((await service.call(`GET ${path}`, { as: null })).json()).toEqual({ status: 'ok' })
    }
  })

  it('is not ready where the store is away', async () => {
    const closed = await startService()
    await closed.store.close()
    expect((await closed.call('GET /health/ready')).statusCode).toBe(503)
    expect((await closed.call('GET /health/live')).statusCode).toBe(200)
    await closed.stop()
  })
})

describe('the address itself', () => {
  const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
  const asked = async (headers: Record<string, string> = {}) => await service.call('GET /', { as: null, headers })

  it('says what is here, and where to go', async () => {
    const { documentation, document, health, ...rest } = (await asked()).json()
    expect(rest).toEqual({ name: 'channel-relay', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
    for (const path of [documentation, document, health]) expect((await service.call(`GET ${path}`, { as: null })).statusCode).toBe(200)
  })

  it('is a page for a browser, which runs nothing, and has the address that it was called by', async () => {
    const { headers, body } = await asked({ ...html, host: 'relay.example:8443', 'x-forwarded-proto': 'https' })
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': expect.stringMatching(/^default-src 'none'; style-src 'sha256-/) })
    expect(body).toContain('API=https://relay.example:8443 ')
  })

  it('is no page for who will have none', async () => {
    for (const accept of ['text/html;q=0', 'text/html; q=0.0, application/json', '*/*']) expect((await asked({ accept })).headers['content-type']).toMatch(/json/)
    for (const accept of ['TEXT/HTML', 'text/html;q=0.9', 'application/json, text/html']) expect((await asked({ accept })).headers['content-type']).toMatch(/html/)
    expect((await asked({ ...html, origin })).headers.vary).toMatch(/origin.*accept/i)
  })

  it('repeats no Host that is more than one', async () => {
    for (const host of ['<script>alert(1)</script>', 'a$(id)', 'a"b']) expect((await asked({ ...html, host })).body).not.toContain(host)
  })
})

describe('the document', () => {
  it('is told to everyone, as JSON and YAML', async () => {
    const document = (await service.call('GET /openapi.json', { as: null })).json()
    expect(document).toMatchObject({ openapi: '3.1.0', components: { schemas: { Message: { type: 'object' } } } })
    expect((await service.call('GET /openapi.yaml', { as: null })).body).toMatch(/^openapi: 3\.1\.0\n/)
  })

  it('has every reference resolved, and an operation id once', async () => {
    const text = (await service.call('GET /openapi.json')).body
    const { components, paths } = JSON.parse(text)
    const named = Object.entries(components as Record<string, object>).flatMap(([kind, all]) => Object.keys(all).map(name => `#/components/${kind}/${name}`))
    for (const [, name] of text.matchAll(/"\$ref":"([^"]+)"/g)) expect(named).toContain(name)
    const ids = Object.values(paths as Record<string, Record<string, { operationId: string }>>).flatMap(path => Object.values(path)).map(operation => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).not.toContain(undefined)
  })
})

describe('a page of another origin', () => {
  const preflight = async (from: string) => await service.call('OPTIONS /v1/channels', {
    as: null, headers: { origin: from, 'access-control-request-method': 'POST', 'access-control-request-headers': 'idempotency-key' }
  })

  it('that is allowed may call with the headers that the contract names', async () => {
    const { statusCode, headers } = await preflight(origin)
    expect(statusCode).toBe(204)
    expect(headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'Authorization, Content-Type, X-Issued-Mitter-User-Authorization, X-Mitter-Application-Id, X-Mitter-Application-Access-Key, X-Mitter-Sudo-User-Id, Last-Event-ID, Idempotency-Key, Prefer'
    })
    expect(headers['access-control-allow-credentials']).toBeUndefined()
  })

  it('that is allowed may read the headers that the contract names, of errors too', async () => {
    for (const path of ['GET /v1/users/me', 'GET /v1/nothing', 'PUT /v1/users']) {
      const { headers } = await service.call(path, { as: 'amy', headers: { origin } })
      expect(headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-expose-headers': 'X-Mitter-Paginated-Estimated-Count, Retry-After, X-Event-Cursor, X-Relay-Status, Link'
      })
    }
  })

  it('that is not allowed gets no leave', async () => {
    expect((await preflight('https://evil.example')).headers['access-control-allow-origin']).toBeUndefined()
  })
})

describe('the log', () => {
  it('has a line for an answer, without queries and credentials', async () => {
    const response = await service.call('GET /v1/users/me?access_token=secret', { as: 'amy' })
    expect(response.statusCode).toBe(200)
    expect(service.log).toContainEqual(expect.objectContaining({
      msg: 'request answered', reqId: expect.any(String), status: 200, req: { method: 'GET', path: '/v1/users/me' }
    }))
    expect(JSON.stringify(service.log)).not.toMatch(/access_token|Bearer|Basic/)
  })

  it('has nothing of what goes well at warn, and of what does not what it has at any level', async () => {
    const quiet = await startService([], [], 'warn')
    expect((await quiet.call('POST /v1/users', { body: { userId: 'amy' } })).statusCode).toBe(200)
    expect((await quiet.call('GET /v1/nothing')).statusCode).toBe(404)
    expect(quiet.log).toEqual([])
    quiet.store.getUser = async () => { throw new Error('secret cause') }
    const { instanceId } = (await quiet.call('GET /v1/users/amy?access_token=secret')).json()
    expect(quiet.log).toEqual([expect.objectContaining({
      level: 50, msg: 'request failed', reqId: instanceId, req: { method: 'GET', path: '/v1/users/amy' }, err: expect.objectContaining({ message: 'secret cause' })
    })])
    await quiet.stop()
  })
})

describe('closing', () => {
  it('ends idle connections at once, and finishes a request under way', async () => {
    const closing = await startService()
    await closing.app.listen({ port: 0 })
    const { port } = closing.app.server.address() as AddressInfo
    const idle = connect(port)
    idle.write('GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(idle, 'data')

    const body = '{"userId":"late"}'
    const busy = connect(port)
    let answer = ''
    busy.setEncoding('utf8').on('data', chunk => { answer += chunk })
    const underWay = once(closing.app.server, 'request')
    busy.write(`POST /v1/users HTTP/1.1\r\nHost: a\r\nAuthorization: ${applicationAuthorization}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n{`)
    await underWay

    const idleEnded = once(idle, 'close')
    const stopped = closing.stop()
    await idleEnded
    busy.write(body.slice(1))
    await once(busy, 'close')
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\{"identifier":"late"\}$/)
    await stopped
  })
})
