/** What it stops for, and what it asks another token for. */
import { afterEach, expect, it } from 'vitest'
import { subscribe } from '../client.js'
import { closeAll, follow } from './following.ts'
import { begin, caughtUp, frame, refuse, startStub, type Stub } from './stub.ts'

let stub: Stub | undefined
afterEach(async () => {
  closeAll()
  await stub?.close()
  stub = undefined
})

const shown = () => stub!.requests.map(({ headers }) => headers.authorization)

it.each([403, 404])('stops for good on %i, and says what the envelope says', async status => {
  stub = await startStub(response => refuse(response, status, { message: 'No', errorCode: 'missing_privilege', reason: 'pending' }))
  const { subscription, states, errors, until } = follow({ url: stub.url, token: async () => 'a' })
  await until(() => subscription.state === 'closed')
  expect(errors).toMatchObject([{ status, message: 'No', code: 'missing_privilege', reason: 'pending' }])
  expect(states).toEqual(['closed'])
})

it.each(['removed', 'deleted'])('stops for good after bye with reason %s', async reason => {
  stub = await startStub(response => begin(response, frame('c-1', { text: 'last' })).end(`event: bye\ndata: {"reason":"${reason}"}\n\n`))
  const { texts, errors, subscription, until } = follow({ url: stub.url, token: 'a' })
  await until(() => subscription.state === 'closed')
  expect([texts(), errors]).toMatchObject([['last'], [{ reason }]])
})

it('asks for another token on 401 and after bye with reason expired, at once, and goes on', async () => {
  stub = await startStub((response, number) => {
    if (number === 0) begin(response, frame('c-1', { text: '1' })).end('retry: 150000\nevent: bye\ndata: {"reason":"expired"}\n\n')
    else if (number === 1) refuse(response, 401, { errorCode: 'claim_rejected' })
    else begin(response, frame('c-2', { text: '2' }))
  })
  const refused: unknown[] = []
  const { texts, until } = follow({ url: stub.url, token: async token => `t-${refused.push(token)}` })
  await until(() => texts().length === 2)
  expect(refused).toEqual([undefined, 't-1', 't-2'])
  expect(shown()).toEqual(['Bearer t-1', 'Bearer t-2', 'Bearer t-3'])
  expect(stub.requests[2]!.headers['last-event-id']).toBe('c-1')
})

it('asks again where no token can be had, or none that is taken, ever more slowly', async () => {
  stub = await startStub((response, number) => number === 0 ? refuse(response, 401) : begin(response, caughtUp('c-1')))
  let asked = 0
  const { subscription, states, errors, until } = follow({
    url: stub.url,
    token () {
      if (asked++ === 0) throw new Error('offline')
      return 'the same'
    }
  })
  await until(() => subscription.state === 'live')
  expect(asked).toBe(3)
  expect(errors).toMatchObject([{ cause: { message: 'offline' } }, { status: 401 }])
  expect(states.filter(state => state === 'waiting').length).toBe(2)
})

it.each([['a string', 'a'], ['a function that has no other', (refused?: string) => refused === undefined ? 'a' : null]])('ends where a token is refused and is %s', async (_what, token) => {
  stub = await startStub(response => refuse(response, 401))
  const { subscription, errors, until } = follow({ url: stub.url, token })
  await until(() => subscription.state === 'closed')
  expect(shown()).toEqual(['Bearer a'])
  expect(errors.at(-1)).toMatchObject({ status: 401 })
})

it('calls nothing any more once it is closed, by close or by a signal, and lets the connection go', async () => {
  stub = await startStub(response => begin(response, frame('c-1', { text: '1' }) + frame('c-2', { text: '2' })))
  const abort = new AbortController()
  for (const [signal, end] of [[undefined, () => {}], [abort.signal, () => abort.abort()]] as const) {
    const { texts, states, subscription, until } = follow({ url: stub.url, token: 'a', signal, onEvent: () => { signal === undefined ? subscription.close() : end() } })
    await until(() => subscription.state === 'closed')
    while (stub.open() > 0) await new Promise(setImmediate)
    expect(texts()).toEqual(['1'])
    expect(states.at(-1)).toBe('closed')
    subscription.close()
    expect(states.filter(state => state === 'closed').length).toBe(1)
  }
  const { subscription } = follow({ url: stub.url, token: 'a', signal: AbortSignal.abort() })
  expect(subscription.state).toBe('closed')
})

it('closes while it waits, while it asks for a token, and before it has begun', async () => {
  stub = await startStub(response => refuse(response, 503, {}, { 'retry-after': '60' }))
  const waiting = follow({ url: stub.url, token: 'a' })
  await waiting.until(() => waiting.subscription.state === 'waiting')
  waiting.subscription.close()
  const asked = Promise.withResolvers<string>()
  const asking = follow({ url: stub.url, token: () => asked.promise })
  await new Promise(setImmediate)
  asking.subscription.close()
  asked.resolve('late')
  follow({ url: stub.url, token: 'a' }).subscription.close()
  await new Promise(setImmediate)
  expect(shown()).toEqual(['Bearer a'])
})

it('throws where the URL is none', () => {
  expect(() => subscribe({ url: 'nowhere', token: 'a', onEvent () {} })).toThrow(TypeError)
})

it('goes on where a handler throws, and lets that be an uncaught error', async () => {
  stub = await startStub(response => begin(response, frame('c-1', { text: '1' }) + frame('c-2', { text: '2' })))
  const thrown: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', error => { thrown.push(error.message) })
  try {
    const { texts, until } = follow({ url: stub.url, token: 'a', onEvent: ({ id }) => { throw new Error(`at ${id}`) } })
    await until(() => texts().length === 2)
    while (thrown.length < 2) await new Promise(setImmediate)
    expect(thrown).toEqual(['at c-1', 'at c-2'])
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of listeners) process.on('uncaughtException', listener)
  }
})
