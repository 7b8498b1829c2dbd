/** Messages of others, thousands a second, in channels that no test looks at: the log goes on whatever a test does. */
import type { Store } from '../../src/store/contract/store.ts'
import { createChannel, createUser, join, send } from './commands.ts'

const CHANNELS = 4

/** So many messages at once, and how often, in milliseconds: about 2,000 a second, and hardly a moment without one. */
const BURST = 8
const BURST_INTERVAL_MS = 4

/** Bursts that may wait for the store: where it is slower, so are they. */
const WAITING_MAX = 16

export interface ForeignTraffic {
  /** Messages sent so far. */
  readonly sent: number
  /** Ends it, and waits for what is under way. Throws what went wrong. */
  stop (): Promise<void>
}

/** Begins once its channels are there. */
export async function startForeignTraffic (store: Pick<Store, 'append'>): Promise<ForeignTraffic> {
  const [speaker, listener] = ['foreign-speaker', 'foreign-listener']
  const channels = Array.from({ length: CHANNELS }, (_, index) => `foreign-channel-${index}`)
  await Promise.all([speaker, listener].map(user => store.append(createUser(user))))
  await Promise.all(channels.map(channel => store.append(createChannel(speaker, channel))))
  await Promise.all(channels.map(channel => store.append(join(listener, channel))))
  const waiting = new Set<Promise<void>>()
  let sent = 0
  let failure: unknown

  const burst = async (): Promise<void> => {
    await Promise.all(Array.from({ length: BURST }, (_, index) => store.append(send(speaker, channels[index % CHANNELS]!, 'of no concern'))))
    sent += BURST
  }
  const timer = setInterval(() => {
    if (waiting.size >= WAITING_MAX) return
    const one: Promise<void> = burst().catch(err => { failure ??= err }).finally(() => waiting.delete(one))
    waiting.add(one)
  }, BURST_INTERVAL_MS)

  return {
    get sent () { return sent },
    async stop () {
      clearInterval(timer)
      await Promise.all(waiting)
      if (failure !== undefined) throw failure
    }
  }
}
