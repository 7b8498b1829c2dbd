/** What stands in URLs is read as it is written: nothing is bent into a number, and nothing is chosen among several (protocol 1, rule 3). */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { callsTo } from '../http/rules/calls.ts'
import { readApi, pathOf, type Operation } from '../http/bad-input/operations.ts'
import { startService, type Service } from '../http/service.ts'

let service: Service
let operations: Operation[]
beforeAll(async () => {
  service = await startService(['amy'])
  operations = (await readApi(service)).operations
})
afterAll(() => service.stop())
const { channel } = callsTo(() => service)

/** The path of each operation that has a parameter of such a type, with that parameter. */
function withParameters (type: string, room: string): Array<[path: string, name: string]> {
  return operations.flatMap(operation => operation.query
    .filter(parameter => type === 'any' ? true : parameter.type === type)
    .map(({ name }): [string, string] => [pathOf(operation, { userId: 'amy', channelId: room, messageIds: 'message-1', messageId: 'message-1' }), name]))
}

async function refusalOf (path: string): Promise<{ status: number, code: string, field: string, message: string }> {
  const response = await service.call(`GET ${path}`)
  const { errorCode, diagnostics, message } = response.json()
  return { status: response.statusCode, code: errorCode, field: diagnostics?.field, message }
}

it.each([
  'Infinity', '-Infinity', '%2BInfinity', 'NaN', '0x10', '0b1', '0o7', '1e1', '1e-400', '5.0', '%205', '5%20', '%2B5', '-5', '5_0', '٥', 'true', ''
])('an integer written as %j is a 400 that says how it is written', async value => {
  const room = await channel('group', ['amy'])
  const parameters = withParameters('integer', room)
  expect(parameters.length).toBeGreaterThan(5)
  for (const [path, name] of parameters) {
    expect(await refusalOf(`${path}?${name}=${value}`), path).toEqual({
      status: 400, code: 'invalid_domain_attribute', field: `query/${name}`, message: expect.stringContaining('must be a whole number in decimal digits')
    })
  }
})

it.each(['maybe', 'TRUE', '1', '0', '', 'null', '%20true', 'yes'])('a boolean written as %j is a 400 that says how it is written', async value => {
  const parameters = withParameters('boolean', await channel('group', ['amy']))
  expect(parameters.length).toBeGreaterThan(1)
  for (const [path, name] of parameters) {
    expect(await refusalOf(`${path}?${name}=${value}`), path).toEqual({
      status: 400, code: 'invalid_domain_attribute', field: `query/${name}`, message: expect.stringContaining('must be true or false')
    })
  }
})

it('a parameter given twice is a 400 that says to send it once', async () => {
  const parameters = withParameters('any', await channel('group', ['amy'])).filter(([, name]) => name !== 'access_token')
  expect(parameters.length).toBeGreaterThan(15)
  for (const [path, name] of parameters) {
    expect(await refusalOf(`${path}${path.includes('?') ? '&' : '?'}${name}=1&${name}=2`), path).toEqual({
      status: 400, code: 'invalid_domain_attribute', field: `query/${name}`, message: `query/${name} is given more than once: send it once`
    })
  }
})

it('a parameter that nobody knows may stand there twice, and look like anything', async () => {
  expect((await service.call('GET /v1/users?other=Infinity&other=2')).statusCode).toBe(200)
})

it('nobody pays for what another sent', async () => {
  const room = await channel('group', ['amy'])
  for (const name of ['limit', 'entityCountOffset']) {
    // So many digits are Infinity too.
    for (const value of ['Infinity', '-Infinity', '9'.repeat(400)]) {
      expect((await service.call(`GET /v1/channels/${room}/messages?${name}=${value}`)).statusCode).toBe(400)
      expect((await service.call(`GET /v1/channels/${room}/messages`)).statusCode).toBe(200)
    }
  }
})
