/** A subscription that keeps what it was told, and can be waited for. */
import { subscribe, type Format, type RelayError, type State, type SubscribeOptions, type Subscription } from '../client.js'

/** How long a test waits, in milliseconds: longer than anything takes on a busy machine. */
const PATIENCE_MS = 15_000

export interface Following {
  subscription: Subscription
  events: Array<{ type: string, id: string, data: any }>
  /** Texts of its messages, in order. */
  texts: () => string[]
  states: State[]
  errors: RelayError[]
  /** Resolves once it holds; looked at whenever something came. */
  until: (holds: () => boolean, what?: string) => Promise<void>
}

const opened = new Set<Subscription>()

export function follow<F extends Format = 'compact'> (options: Omit<SubscribeOptions<F>, 'onEvent' | 'onState'> & { onEvent?: (event: any) => unknown }): Following {
  const [events, states, errors]: [Following['events'], State[], RelayError[]] = [[], [], []]
  let wake = Promise.withResolvers<void>()
  const came = () => {
    wake.resolve()
    wake = Promise.withResolvers()
  }
  const subscription = subscribe<F>({
    ...options,
    onEvent (event) {
      events.push(event as Following['events'][number])
      came()
      return options.onEvent?.(event)
    },
    onState (state, error) {
      states.push(state)
      if (error !== undefined) errors.push(error)
      came()
    }
  })
  opened.add(subscription)
  return {
    subscription,
    events,
    texts: () => events.filter(({ type }) => type === 'message').map(({ data }) => data.text ?? data.message?.textPayload),
    states,
    errors,
    async until (holds, what = String(holds)) {
      const late = Promise.withResolvers<never>()
      const timer = setTimeout(() => late.reject(new Error(`not within ${PATIENCE_MS} ms: ${what}; ${events.length} events, ${states.slice(-9).join(' ')}, ${errors.slice(-3).join(', ')}`)), PATIENCE_MS)
      try {
        while (!holds()) await Promise.race([wake.promise, late.promise])
      } finally {
        clearTimeout(timer)
      }
    }
  }
}

/** Closes all that are open. */
export function closeAll (): void {
  for (const subscription of opened) subscription.close()
  opened.clear()
}
