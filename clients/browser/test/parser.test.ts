/** Event streams as the HTML standard has them, in whatever pieces they come. */
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { closeAll, follow } from './following.ts'
import { startStub, type Stub } from './stub.ts'

let stub: Stub
afterEach(async () => {
  closeAll()
  await stub.close()
})

/** What is told of a stream that comes in these pieces. */
async function told (...pieces: Array<string | Uint8Array>): Promise<Array<{ type: string, id: string, data: any }>> {
  stub = await startStub(async response => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    response.flushHeaders()
    response.socket!.setNoDelay(true)
    for (const piece of pieces) {
      response.write(piece)
      await turn()
    }
    response.write('event: end\ndata: 1\n\n')
  })
  const { events, until } = follow({ url: stub.url, token: 'a' })
  await until(() => events.some(({ type }) => type === 'end'))
  return events.slice(0, -1)
}

it('reads lines that end in LF, CR or CRLF, mixed', async () => {
  const events = await told('id: 1\ndata: 1\n\n', 'id: 2\rdata: 2\r\r', 'id: 3\r\ndata: 3\r\n\r\n', 'id: 4\rdata: 4\r', '\n\r', '\nid: 5\r', 'data: 5\n\n')
  expect(events.map(({ id, data }) => [id, data])).toEqual([['1', 1], ['2', 2], ['3', 3], ['4', 4], ['5', 5]])
})

it('passes over a BOM at the beginning, comments, and fields it does not know', async () => {
  const events = await told('\uFEFFdata: "first"\n\n', ': comment\n:\n\nsecond: 1\ndatas: 2\ndata: "second"\n\n', 'data:"third"\n\n')
  expect(events.map(({ data }) => data)).toEqual(['first', 'second', 'third'])
})

it('joins lines of data, and keeps line separators that are none here', async () => {
  const events = await told('data: {\ndata: "a":\ndata\ndata:  "\u2028\u2029\u0085 b"}\n\n')
  expect(events).toEqual([{ type: 'message', id: undefined, data: { a: '\u2028\u2029\u0085 b' } }])
})

it('takes an id with a colon, and none with a NUL; drops what has no end', async () => {
  const events = await told('id: a:b\ndata: 1\n\n', 'id: a\0b\ndata: 2\n\n', 'event: lost\nid: 3\n\n', 'event: x\ndata: 3\n\n')
  expect(events).toEqual([{ type: 'message', id: 'a:b', data: 1 }, { type: 'message', id: undefined, data: 2 }, { type: 'x', id: undefined, data: 3 }])
})

it('keeps the place of a block that has nothing but an id', async () => {
  stub = await startStub(response => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end('retry: 1\nid: 7\n\n')
  })
  const { until } = follow({ url: stub.url, token: 'a' })
  await until(() => stub.requests.length > 1)
  expect(stub.requests[1]!.headers['last-event-id']).toBe('7')
})

const text = 'Grüße, 世界, 👩‍👩‍👧'
const stream = Buffer.from(`\uFEFFretry: 5\r\nid: 1\r\ndata: ${JSON.stringify(text)}\r\n\r\n:\r\n\r\nid: 2\nevent: x\ndata: [1,\ndata: 2]\n\nid: 3\rdata: ${JSON.stringify(text)}\r\r`)

it('reads the same, at whichever byte a stream is divided', async () => {
  for (let at = 1; at < stream.length; at++) {
    const events = await told(stream.subarray(0, at), stream.subarray(at))
    expect(events, `divided at ${at}`).toEqual([{ type: 'message', id: '1', data: text }, { type: 'x', id: '2', data: [1, 2] }, { type: 'message', id: '3', data: text }])
    closeAll()
    await stub.close()
  }
  await told(...Array.from(stream, byte => Uint8Array.of(byte)))
})
