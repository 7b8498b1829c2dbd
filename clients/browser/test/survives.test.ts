/** What ends a connection, and what comes instead of one: it comes back, goes on where it was, and says what it does. */
import { afterEach, expect, it } from 'vitest'
import { freePort } from '../../../test/support/ports.ts'
import { closeAll, follow } from './following.ts'
import { begin, caughtUp, frame, refuse, startStub, type Stub } from './stub.ts'

let stub: Stub
afterEach(async () => {
  closeAll()
  await stub.close()
})

const message = (number: number): string => frame(`c-${number}`, { text: String(number) })

it('goes on behind the last id after a clean end, a broken connection, and in the midst of a frame', async () => {
  stub = await startStub((response, number) => {
    begin(response, message(number * 2) + message(number * 2 + 1) + message(99).slice(0, 9 + number))
    if (number % 2 === 0) response.end()
    else setImmediate(() => response.socket!.end()) // without the end of the body
  })
  const { texts, until } = follow({ url: stub.url, token: 'a', after: 'c-before' })
  await until(() => texts().length >= 8)
  expect(texts().slice(0, 8)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
  expect(stub.requests.slice(0, 4).map(({ headers }) => headers['last-event-id'])).toEqual(['c-before', 'c-1', 'c-3', 'c-5'])
})

it('shows the token in a header only, and asks for a stream', async () => {
  stub = await startStub(response => begin(response, caughtUp('c-1')))
  const { subscription, until } = follow({ url: `${stub.url}/`, channelId: '#general', token: 'secret', format: 'mitter', after: 'earliest' })
  await until(() => subscription.state === 'live')
  const [{ url, headers }] = stub.requests as [Stub['requests'][number]]
  expect(url).toBe('/v1/channels/%23general/events?format=mitter&after=earliest')
  expect(headers).toMatchObject({ authorization: 'Bearer secret', accept: 'text/event-stream' })
  expect(headers['last-event-id']).toBeUndefined()
})

it('waits where connections are refused, and tells the states', async () => {
  const port = await freePort()
  stub = await startStub(response => begin(response, caughtUp('c-1')))
  const { subscription, states, errors, until } = follow({ url: `http://127.0.0.1:${port}`, token: 'a' })
  await until(() => states.filter(state => state === 'waiting').length === 2)
  expect(errors[0]!.status).toBeUndefined()
  expect(subscription.state).toBe('waiting')
  subscription.close()
  expect(states).toEqual(['waiting', 'connecting', 'waiting', 'closed'])
})

it('comes back after any other status than those it stops for', async () => {
  const statuses = [429, 500, 502, 503, 504, 400, 418]
  stub = await startStub((response, _number, { url }) => {
    const status = Number(/channels\/(\d+)/.exec(url!)![1])
    if (stub.requests.filter(request => request.url === url).length === 1) refuse(response, status, 'no envelope')
    else begin(response, caughtUp('c-1'))
  })
  await Promise.all(statuses.map(async status => {
    const { subscription, states, errors, until } = follow({ url: stub.url, channelId: String(status), token: 'a' })
    await until(() => subscription.state === 'live')
    expect(errors).toMatchObject([{ status, message: `HTTP ${status}` }])
    expect(states).toEqual(['waiting', 'connecting', 'replaying', 'live'])
  }))
})

it('comes back after an answer that is no stream, though it says 200', async () => {
  stub = await startStub((response, number) => number === 0 ? response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in to the network</h1>') : begin(response, caughtUp('c-1')))
  const { subscription, errors, until } = follow({ url: stub.url, token: 'a' })
  await until(() => subscription.state === 'live')
  expect(errors).toMatchObject([{ status: 200 }])
})

it('waits for as long as Retry-After says', async () => {
  const came: number[] = []
  stub = await startStub((response, number) => {
    came.push(performance.now())
    if (number === 0) refuse(response, 503, {}, { 'retry-after': '2' })
    else begin(response, caughtUp('c-1'))
  })
  const { subscription, until } = follow({ url: stub.url, token: 'a' })
  await until(() => subscription.state === 'live')
  expect(came[1]! - came[0]!).toBeGreaterThan(1_990)
})

it('waits for as long as bye says, though it would have come back sooner', async () => {
  const came: number[] = []
  stub = await startStub((response, number) => {
    came.push(performance.now())
    if (number === 0) begin(response, message(1)).end('retry: 1500\nevent: bye\ndata: {"reason":"shutdown"}\n\n')
    else begin(response, caughtUp('c-1'))
  })
  const { subscription, errors, until } = follow({ url: stub.url, token: 'a' })
  await until(() => subscription.state === 'live')
  expect(errors).toMatchObject([{ reason: 'shutdown' }])
  expect(came[1]! - came[0]!).toBeGreaterThan(1_490)
})

it('waits longer with each failure', async () => {
  const came: number[] = []
  stub = await startStub(response => {
    came.push(performance.now())
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end('retry: 100\n\n') // what a proxy says instead
  })
  const { until } = follow({ url: stub.url, token: 'a' })
  await until(() => came.length === 5)
  const waits = came.slice(1).map((at, index) => at - came[index]!)
  for (const [index, wait] of waits.entries()) expect(wait, String(index)).toBeGreaterThan(99 * 2 ** index)
})

it('does not come back ever faster where retry is 0', async () => {
  stub = await startStub(response => response.writeHead(200, { 'content-type': 'text/event-stream' }).end('retry: 0\n\n'))
  const { states, until } = follow({ url: stub.url, token: 'a' })
  await until(() => stub.requests.length === 9)
  const begun = performance.now()
  await until(() => states.length > 0 && stub.requests.length === 11)
  expect(performance.now() - begun).toBeGreaterThan(100)
})

it('takes a connection for dead on which nothing comes for two heartbeats, and one that is not answered', async () => {
  stub = await startStub((response, number) => {
    if (number === 0) begin(response, message(1))
    else if (number === 2) begin(response, message(2) + caughtUp('c-2'))
  })
  const { texts, subscription, errors, until } = follow({ url: stub.url, token: 'a', heartbeatMs: 200 })
  await until(() => subscription.state === 'live')
  expect(texts()).toEqual(['1', '2'])
  expect(errors).toMatchObject([{ message: 'Nothing was heard' }, { message: 'Nothing was heard' }])
})

it('does not take one for dead on which comments come', async () => {
  let timer: NodeJS.Timeout
  stub = await startStub(response => {
    begin(response, caughtUp('c-1'))
    let left = 8
    timer = setInterval(() => {
      if (left-- > 0) response.write(':\n\n')
      else clearInterval(timer)
      if (left === 0) response.write(message(1))
    }, 100)
  })
  const { texts, until } = follow({ url: stub.url, token: 'a', heartbeatMs: 100 })
  await until(() => texts().length === 1)
  expect(stub.requests.length).toBe(1)
})

it('tells of a gap, and goes on behind it', async () => {
  stub = await startStub((response, number) => number === 0
    ? begin(response, frame('c-9', { reason: 'expired' }, 'gap')).end()
    : begin(response, message(10)))
  const { events, until } = follow({ url: stub.url, token: 'a', after: 'c-1' })
  await until(() => events.length === 2)
  expect(events[0]).toEqual({ type: 'gap', id: 'c-9', data: { reason: 'expired' } })
  expect(stub.requests[1]!.headers['last-event-id']).toBe('c-9')
})

it('waits for what an event\'s handler returns, and counts an event as dealt with then', async () => {
  stub = await startStub(response => begin(response, message(1) + message(2)))
  const first = Promise.withResolvers<void>()
  const cursors: Array<string | undefined> = []
  const { subscription, texts, until } = follow({
    url: stub.url,
    token: 'a',
    after: 'c-0',
    async onEvent ({ id }) {
      cursors.push(subscription.cursor)
      if (id === 'c-1') await first.promise
    }
  })
  await until(() => texts().length === 1)
  expect(subscription.cursor).toBe('c-0')
  first.resolve()
  await until(() => texts().length === 2)
  expect(cursors).toEqual(['c-0', 'c-1'])
})
