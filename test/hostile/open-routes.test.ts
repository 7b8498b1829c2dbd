/** What is served to whoever asks, without credentials, is a short list, and each of it costs next to nothing. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startService, type Service } from '../http/service.ts'

let service: Service
beforeAll(async () => {
  service = await startService()
  await service.app.ready()
})
afterAll(() => service.stop())

/** Paths of all routes, from Fastify's drawing of them: four characters deeper, a path goes on. */
function paths (): string[] {
  const parents: string[] = []
  return service.app.printRoutes({ commonPrefix: false }).split('\n').filter(line => line !== '').map(line => {
    const [, indent, part] = /^([│ ]*)[├└]── (\S+) \(/.exec(line)!
    const depth = indent!.length / 4
    parents[depth] = (parents[depth - 1] ?? '') + part
    return parents[depth]
  })
}

const call = async (path: string) => await service.call(`GET ${path}`, { as: null })

const open = ['/', '/client.js', '/health', '/health/live', '/health/ready', '/openapi.json', '/openapi.yaml', '/docs', '/docs/', '/docs/json', '/docs/yaml', '/docs/static/index.html', '/docs/static/swagger-initializer.js']

it('all but these ask who is calling', async () => {
  const all = paths().filter(path => !path.endsWith('*'))
  expect(all.length).toBeGreaterThan(50)
  const served: string[] = []
  for (const path of all) {
    const { statusCode } = await call(path.replace(/:\w+/g, 'something-1'))
    // 405 and 404: there is nothing to be served.
    if (![401, 404, 405].includes(statusCode)) served.push(path)
  }
  expect(served.sort()).toEqual([...open].sort())
})

/** More than any of them takes on a busy machine, at best; less than making the document takes, in milliseconds. */
const MOST_MS = 8

it.each([...open, '/docs/static/swagger-ui.css', '/docs/static/nothing', '/nothing'])('%s is made once, or costs next to nothing', async path => {
  await call(path)
  const times: number[] = []
  for (let round = 0; round < 15; round++) {
    const start = performance.now()
    await call(path)
    times.push(performance.now() - start)
  }
  expect(Math.min(...times)).toBeLessThan(MOST_MS)
})
