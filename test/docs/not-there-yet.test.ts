/** docs/protocol.md, section 10, against the routes: what it lists answers 501, and what answers 501 is listed. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { notThereYet } from '../../routes/not-implemented.ts'
import { startService, type Service } from '../http/service.ts'

let service: Service
beforeAll(async () => { service = await startService() })
afterAll(() => service.stop())

const section = readFileSync(join(import.meta.dirname, '../../docs/protocol.md'), 'utf8').split('\n## 10. ')[1]!.split('\n## ')[0]!
const listed = [...section.matchAll(/`((?:[A-Z]+(?:, )?)+) (\/\S+)`/g)].flatMap(([, methods, path]) => methods!.split(', ').map(method => `${method} ${path}`))

it('lists what is not there yet, each once', () => {
  expect([...listed].sort()).toEqual(notThereYet.flatMap(([methods, url]) => [methods].flat().map(method => `${method} ${url}`)).sort())
})

it.each(listed)('%s answers 501', async request => {
  const response = await service.call(request.replace(/:\w+|\*/g, 'something-1'))
  expect([response.statusCode, response.json().errorCode]).toEqual([501, 'not_implemented'])
})
