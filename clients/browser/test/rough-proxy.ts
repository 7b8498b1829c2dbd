/** A way to the service on which no connection lasts, and streams come back at once. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface RoughProxy {
  url: string
  /** Streams so far that were asked for. */
  made: number
  /** Connections on which one was asked for last. */
  open: () => number
  /** How many bytes of an answer pass before it is cut; Infinity: all. */
  lasts: () => number
  close (): Promise<void>
}

/** `retry: 2000` is told as `retry: 0020`, so that a test can cut often. */
export async function startRoughProxy (target: string, lasts = () => Infinity): Promise<RoughProxy> {
  const [all, asked] = [new Set<Socket>(), new Set<Socket>()]
  const server = createServer(client => {
    all.add(client)
    let left = proxy.lasts()
    const upstream = connect({ port: Number(new URL(target).port), host: '127.0.0.1', noDelay: true })
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
      one.on('error', () => {})
      one.once('close', () => {
        all.delete(one)
        asked.delete(one)
        other.destroy()
      })
    }
    client.once('end', () => client.destroy())
    client.on('data', data => {
      asked.delete(client)
      if (!/^GET \S+\/events\?/.test(data.toString('latin1'))) return
      proxy.made++
      asked.add(client)
    })
    client.pipe(upstream)
    upstream.on('data', data => {
      const passes = Buffer.from(data.toString('latin1').replace('retry: 2000', 'retry: 0020'), 'latin1').subarray(0, left)
      left -= passes.length
      if (left > 0) client.write(passes)
      else client.end(passes)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: RoughProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    made: 0,
    open: () => asked.size,
    lasts,
    async close () {
      server.close()
      for (const socket of all) socket.destroy()
      await once(server, 'close')
    }
  }
  return proxy
}

/** Numbers below `bound`, the same ones in each run. */
export function numbersFrom (seed: number): (bound: number) => number {
  let state = seed
  return bound => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor(state / 2 ** 32 * bound)
  }
}
