/** A body that is said to be compressed is not read as if it were not (RFC 9110, 8.4). */
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { callsTo } from '../http/rules/calls.ts'
import { startService, type Service } from '../http/service.ts'

let service: Service
let room: string
beforeAll(async () => {
  service = await startService(['amy'])
  room = await channel('group', ['amy'])
})
afterAll(() => service.stop())
const { channel } = callsTo(() => service)

const body = JSON.stringify({ textPayload: 'a' })
const sendWith = async (encoding: string, bytes: string | Buffer) => {
  const response = await service.call(`POST /v1/channels/${room}/messages`, { as: 'amy', body: bytes, headers: { 'content-encoding': encoding } })
  return [response.statusCode, response.json().errorCode]
}

it.each(['gzip', 'br', 'x-unknown'])('Content-Encoding %s is a 415, whatever the bytes are', async encoding => {
  expect(await sendWith(encoding, body)).toEqual([415, 'unsupported_media_type'])
  expect(await sendWith(encoding, gzipSync(body))).toEqual([415, 'unsupported_media_type'])
})

it('Content-Encoding identity is none', async () => {
  expect(await sendWith('identity', body)).toEqual([200, undefined])
})
