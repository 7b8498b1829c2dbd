/** Closing at whatever moment is the end: nothing is open, waits, or is told any more. And what a slow or a stuck handler costs. */
import { getActiveResourcesInfo } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { send, subscribe, type State, type Subscription } from '../client.js'
import { closeAll, follow } from './following.ts'
import { begin, caughtUp, frame, refuse, startStub, type Stub } from './stub.ts'

let stub: Stub
afterEach(async () => {
  closeAll()
  await stub.close()
})

const message = (number: number): string => frame(`c-${number}`, { text: String(number) })
const timers = (): number => getActiveResourcesInfo().filter(name => name === 'Timeout').length

it.each(['connecting', 'waiting', 'replaying', 'live'] as const)('in onState, when it is %s', async when => {
  stub = await startStub((response, number) => { if (number === 0) response.socket!.destroy(); else begin(response, caughtUp('c-1')) })
  const states: State[] = []
  const before = timers()
  const subscription: Subscription = subscribe({
    url: stub.url,
    token: 'a',
    onEvent () {},
    onState (state) {
      states.push(state)
      if (state === when) subscription.close()
    }
  })
  while (subscription.state !== 'closed') await sleep(10)
  await sleep(300)
  expect(states.slice(-2)).toEqual([when, 'closed'])
  expect(stub.open()).toBe(0)
  expect(timers()).toBeLessThanOrEqual(before)
})

it('while a token is waited for, which then cannot be had', async () => {
  stub = await startStub(response => begin(response))
  const token = Promise.withResolvers<string>()
  const { subscription, states } = follow({ url: stub.url, token: () => token.promise })
  await sleep(20)
  subscription.close()
  token.reject(new Error('no token'))
  await sleep(50)
  expect([subscription.state, states]).toEqual(['closed', ['closed']])
})

it('while onEvent never comes back: nothing is left, and another tab has the connection', async () => {
  stub = await startStub(response => begin(response, message(1) + caughtUp('c-1')))
  const before = timers()
  const stuck = follow({ url: stub.url, token: 'a', share: 'amy', onEvent: () => new Promise(() => {}) })
  await stuck.until(() => stuck.events.length === 1)
  stuck.subscription.close()
  const next = follow({ url: stub.url, token: 'a', share: 'amy' })
  await next.until(() => next.subscription.state === 'live')
  next.subscription.close()
  await sleep(100)
  expect(stub.open()).toBe(0)
  expect(timers()).toBeLessThanOrEqual(before)
})

it('leaves no listener on the signal that it was given', async () => {
  stub = await startStub(response => begin(response, caughtUp('c-1')))
  let listeners = 0
  const signal = Object.assign(new AbortController().signal, {
    addEventListener () { listeners++ },
    removeEventListener () { listeners-- }
  })
  for (let number = 0; number < 10; number++) subscribe({ url: stub.url, token: 'a', signal, onEvent () {} }).close()
  await send({ url: stub.url, channelId: 'general-1', token: 'a', message: 'Hello', signal: AbortSignal.timeout(5) }).catch(() => {})
  expect(listeners).toBe(0)
})

it('a handler that takes longer than a silence may last cuts no connection', async () => {
  stub = await startStub(response => begin(response, message(1) + message(2) + caughtUp('c-2')))
  const { texts, errors, subscription, until } = follow({ url: stub.url, token: 'a', heartbeatMs: 50, onEvent: () => sleep(400) })
  await until(() => subscription.state === 'live')
  expect([texts(), errors, stub.requests.length]).toEqual([['1', '2'], [], 1])
})

it('comes back at once where the network has come back, whatever it was at', async () => {
  stub = await startStub((response, number) => { if (number < 4) refuse(response, 503, {}, number === 3 ? { 'retry-after': '60' } : {}); else begin(response, caughtUp('c-1')) })
  const listeners = new Set<(event: { type: string }) => void>()
  Object.assign(globalThis, {
    addEventListener: (_: string, listener: (event: { type: string }) => void) => listeners.add(listener),
    removeEventListener: (_: string, listener: (event: { type: string }) => void) => listeners.delete(listener)
  })
  try {
    const { subscription, until } = follow({ url: stub.url, token: 'a' })
    await until(() => stub.requests.length === 1)
    while (stub.requests.length < 5) {
      const before = stub.requests.length
      for (const listener of listeners) listener({ type: 'online' })
      await until(() => stub.requests.length > before || subscription.state !== 'waiting')
      await sleep(20)
    }
    await until(() => subscription.state === 'live')
    subscription.close()
    expect(listeners.size).toBe(0)
  } finally {
    Object.assign(globalThis, { addEventListener: undefined, removeEventListener: undefined })
  }
})

it('waits until the date that Retry-After names', async () => {
  stub = await startStub(response => refuse(response, 429, {}, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }))
  const { until, states } = follow({ url: stub.url, token: 'a' })
  const sent = send({ url: stub.url, channelId: 'general-1', token: 'a', message: 'Hello', signal: AbortSignal.timeout(2_500) })
  await until(() => states.includes('waiting'))
  await expect(sent).rejects.toThrow('timeout')
  expect(stub.requests.length).toBe(2)
})

it('tabs that share wait with the one that was told to', async () => {
  stub = await startStub(response => refuse(response, 503, {}, { 'retry-after': '600' }))
  const tabs = [1, 2, 3].map(() => follow({ url: stub.url, token: 'a', share: 'amy', heartbeatMs: 100 }))
  await tabs[0]!.until(() => stub.requests.length === 1)
  await sleep(1_500)
  expect(stub.requests.length).toBe(1)
})

it('what others say under the same name is not for tabs', async () => {
  let publish = (_: string): void => {}
  stub = await startStub(response => {
    begin(response, caughtUp('c-0'))
    publish = text => response.write(text)
  })
  const tabs = [1, 2].map(() => follow({ url: stub.url, token: 'a', share: 'amy' }))
  for (const { subscription, until } of tabs) await until(() => subscription.state === 'live')
  const other = new BroadcastChannel(`channel-relay/1 ${stub.url}/v1/users/me/events?format=compact amy`)
  for (const said of [{ hello: 'there' }, 1, 'text']) other.postMessage(said)
  await sleep(50)
  publish(message(1))
  for (const { texts, until } of tabs) await until(() => texts().length === 1)
  other.close()
})

it('a message is sent once there is a token, and not where there is none', async () => {
  stub = await startStub(response => response.end('{"messageId":"message-1"}'))
  let asked = 0
  const token = (): string => {
    if (asked++ === 0) throw new Error('offline for a moment')
    return 'a'
  }
  await expect(send({ url: stub.url, channelId: 'general-1', token, message: 'Hello' })).resolves.toEqual({ messageId: 'message-1' })
  await expect(send({ url: stub.url, channelId: 'general-1', token: () => undefined, message: 'Hello' })).rejects.toMatchObject({ status: 401 })
  await expect(send({ url: stub.url, channelId: 'general-1', token: () => new Promise(() => {}), message: 'Hello', signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout')
  expect(stub.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer a'])
})
