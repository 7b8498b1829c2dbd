/** A way to a server that can be cut, closed, slowed down, or made to swallow everything. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** What may be on its way in one direction before the sender is made to wait, in bytes. */
const HELD_BYTES = 4 * 1_048_576

export interface ProxyTarget {
  port: number
  host?: string
}

/** One direction of a connection: what came, in order, each with the time from which on it may go. */
class Way {
  readonly #from: Socket
  readonly #to: Socket
  readonly #proxy: TcpProxy
  readonly #queue: Array<{ due: number, data: Buffer | undefined }> = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined

  constructor (from: Socket, to: Socket, proxy: TcpProxy) {
    this.#from = from
    this.#to = to
    this.#proxy = proxy
    from.on('data', (data: Buffer) => {
      this.#bytes += data.length
      if (this.#bytes > HELD_BYTES) from.pause()
      this.#put(data)
    })
    from.on('end', () => this.#put(undefined))
    to.on('drain', () => this.move())
  }

  /** Hands on what is due. */
  move (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#proxy.swallows || this.#to.destroyed) return
    while (this.#queue.length > 0 && !this.#to.writableNeedDrain) {
      const { due, data } = this.#queue[0]!
      const wait = due - performance.now()
      if (wait > 0) {
        this.#timer = setTimeout(() => this.move(), wait)
        return
      }
      this.#queue.shift()
      if (data === undefined) this.#to.end()
      else {
        this.#to.write(data)
        this.#bytes -= data.length
        if (this.#bytes <= HELD_BYTES) this.#from.resume()
      }
    }
  }

  close (): void {
    clearTimeout(this.#timer)
  }

  #put (data: Buffer | undefined): void {
    // Nothing overtakes what came before it, though the delay may be shorter now.
    const due = Math.max(this.#queue.at(-1)?.due ?? 0, this.#proxy.delayMs === 0 ? 0 : performance.now() + this.#proxy.delayMs)
    this.#queue.push({ due, data })
    if (this.#timer === undefined) this.move()
  }
}

/** A client's connection and the one to the server, which is made once bytes may pass. */
class Connection {
  readonly #client: Socket
  readonly #server: Socket
  readonly #ways: Way[]
  readonly #proxy: TcpProxy

  constructor (client: Socket, target: ProxyTarget, proxy: TcpProxy, closed: () => void) {
    this.#client = client
    this.#proxy = proxy
    this.#server = connect({ ...target, host: target.host ?? '127.0.0.1', allowHalfOpen: true, noDelay: true })
    this.#ways = [new Way(client, this.#server, proxy), new Way(this.#server, client, proxy)]
    for (const socket of [client, this.#server]) {
      socket.on('error', () => {})
      socket.once('close', () => {
        if (client.destroyed && this.#server.destroyed) closed()
        this.settle()
      })
    }
  }

  /** Hands on what may pass, and that one side has broken off. */
  settle (): void {
    if (this.#proxy.swallows) return
    for (const way of this.#ways) way.move()
    for (const [one, other] of [[this.#client, this.#server], [this.#server, this.#client]] as const) {
      if (one.destroyed && one.errored !== null && !other.destroyed) other.resetAndDestroy()
    }
  }

  cut (): void {
    for (const way of this.#ways) way.close()
    this.#client.resetAndDestroy()
    this.#server.resetAndDestroy()
  }
}

export class TcpProxy {
  readonly port: number
  /** How long each chunk takes in each direction, in milliseconds. */
  delayMs = 0
  /** Nothing passes. */
  swallows = false
  readonly #target: ProxyTarget
  readonly #connections = new Set<Connection>()
  /** Those that came while nothing passed. */
  #waiting: Socket[] = []
  #server: Server | undefined

  constructor (server: Server, target: ProxyTarget) {
    this.#target = target
    this.port = (server.address() as AddressInfo).port
    this.#listenWith(server)
  }

  get connections (): number {
    return this.#connections.size
  }

  /** Breaks all connections, both sides of them, by a reset. New ones are taken. */
  cut (): void {
    for (const connection of this.#connections) connection.cut()
    for (const socket of this.#waiting.splice(0)) socket.resetAndDestroy()
  }

  /** Takes no new connections: they are refused. Those that there are stay. */
  refuse (): void {
    this.#server?.close()
    this.#server = undefined
  }

  async accept (): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    server.listen(this.port, '127.0.0.1')
    await once(server, 'listening')
    this.#listenWith(server)
  }

  /** What comes from now on takes so long each way; in order, and nothing is lost. 0: at once. */
  delay (ms: number): void {
    this.delayMs = ms
  }

  /** Nothing passes in either direction. Connections stay open; new ones are taken, and never answered. */
  blackHole (): void {
    this.swallows = true
  }

  /** All as at first. What was held in the black hole passes. */
  async heal (): Promise<void> {
    this.delayMs = 0
    this.swallows = false
    for (const connection of this.#connections) connection.settle()
    for (const socket of this.#waiting.splice(0)) this.#take(socket)
    await this.accept()
  }

  close (): void {
    this.refuse()
    this.cut()
  }

  #listenWith (server: Server): void {
    this.#server = server
    server.on('connection', socket => {
      if (!this.swallows) return this.#take(socket)
      socket.on('error', () => {})
      this.#waiting.push(socket)
    })
  }

  #take (client: Socket): void {
    const connection: Connection = new Connection(client, this.#target, this, () => { this.#connections.delete(connection) })
    this.#connections.add(connection)
  }
}

/** A proxy on a free port, before a port of this machine or another. */
export async function startProxy (target: ProxyTarget): Promise<TcpProxy> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return new TcpProxy(server, target)
}
