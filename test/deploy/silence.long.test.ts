/** Streams through each proxy that are silent for longer than proxies wait unless told: HEARTBEAT_MS may be set to minutes. */
import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { it } from 'vitest'
import { openReader } from '../support/sse.ts'
import { proxyKinds } from './proxies/kinds.ts'
import { PlayedNode } from './proxies/played-node.ts'
import { isThere, ProxyServer } from './proxies/server.ts'

/** Longer than what nginx, and our own time-outs for calls, have for anything else: 60 s. */
const SILENCE_MS = 75_000

it.concurrent.for(proxyKinds)('a stream through $name stays open while it is silent', async (kind, { expect, skip }) => {
  skip(!isThere(kind))
  const begun = Promise.withResolvers<ServerResponse>()
  const node = await PlayedNode.start((request, response) => {
    if (!request.url!.endsWith('/events')) return response.end()
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    begun.resolve(response)
  })
  const proxy = await ProxyServer.start(kind, [node.port])
  try {
    const stream = await openReader(`${proxy.url}/v1/users/me/events`)
    const response = await begun.promise
    await delay(SILENCE_MS)
    response.end('data: {"n":1}\n\n')
    await stream.ended
    expect(stream.frames).toMatchObject([{ json: { n: 1 } }])
  } finally {
    await proxy.stop()
    node.end()
  }
})
