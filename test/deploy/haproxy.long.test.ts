import { expect, it } from 'vitest'
import { freePort } from '../support/ports.ts'
import { haproxy } from './proxies/kinds.ts'
import { ProxyServer } from './proxies/server.ts'
import { proxySuite } from './proxies/suite.ts'

proxySuite(haproxy)

it.skipIf(haproxy.version === undefined)('HAProxy answers calls in the service\'s own form while no node is ready', async () => {
  const proxy = await ProxyServer.start(haproxy, [await freePort()])
  try {
    const answer = await fetch(`${proxy.url}/v1/users/me`)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    const error = await answer.json() as { timestamp: number }
    expect(error).toMatchObject({ error: 'Service Unavailable', errorCode: 'unavailable', error_code: 'unavailable', instanceId: expect.any(String) })
    expect(Math.abs(error.timestamp - Date.now())).toBeLessThan(60_000)
  } finally {
    await proxy.stop()
  }
})
