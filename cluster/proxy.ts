/**
 * One port before several nodes: each connection goes to the next of them that takes it. It hands bytes on as they come,
 * and knows nothing of HTTP: a stream's client whose node dies comes back by itself, and lands on another.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Proxy {
  url: string
  /** Breaks what is still connected, and lets go of the port. */
  close (): Promise<void>
}

/** `ports`: of the nodes on this machine, as they are now. Throws what the system says where it cannot listen. */
export async function startProxy (host: string, port: number, ports: () => number[]): Promise<Proxy> {
  const clients = new Set<Socket>()
  let turn = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, client => {
    clients.add(client)
    client.once('close', () => clients.delete(client))
    client.on('error', () => {})
    const nodes = ports()
    const first = turn++ % Math.max(nodes.length, 1)
    connectToOneOf(client, [...nodes.slice(first), ...nodes.slice(0, first)])
  })
  server.listen({ host, port })
  await once(server, 'listening')
  const shown = host.includes(':') ? `[${host}]` : host
  return {
    url: `http://${shown}:${(server.address() as AddressInfo).port}`,
    async close () {
      const closed = once(server, 'close')
      server.close()
      for (const client of clients) client.destroy()
      await closed
    }
  }
}

/** Passes over nodes that are down. Where all of them are, the client finds the connection closed, and tries again. */
function connectToOneOf (client: Socket, [port, ...others]: number[]): void {
  if (port === undefined) {
    client.destroy()
    return
  }
  const node = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
  const next = () => connectToOneOf(client, others)
  node.once('error', next)
  node.once('connect', () => {
    node.off('error', next)
    join(client, node)
    join(node, client)
    client.resume()
  })
}

/** Hands on what comes from one, its end, and that it broke, maybe before now. */
function join (from: Socket, to: Socket): void {
  if (from.destroyed) {
    to.destroy()
    return
  }
  from.pipe(to)
  from.on('error', () => {})
  from.once('close', hadError => { if (hadError) to.destroy(); else to.end() })
}
