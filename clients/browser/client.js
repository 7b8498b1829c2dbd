/** channel-relay's streams and messages, for browsers and Node. client.d.ts says what goes in, README.md what it survives. */

const RETRY_MS = 1_000
/** Waits grow up to the one, and are never told to be longer than the other. */
const LONG_MS = 20_000
const LONGEST_MS = 600_000

/** Longer with each failure, and not the same for all. */
const backoff = (ms, failures) => Math.max(ms, Math.min((ms || 1) * 2 ** failures, LONG_MS)) * (1 + Math.random() / 4)

const sleep = (ms, signal) => new Promise(resolve => {
  const end = () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', end)
    resolve()
  }
  const timer = setTimeout(end, Math.min(ms, LONGEST_MS))
  signal?.addEventListener('abort', end)
  if (signal?.aborted) end()
})

/** What was answered instead, as an error. A proxy's has no envelope. */
async function refusalOf (response) {
  const { message, errorCode: code, reason } = await response.json().catch(() => null) ?? {}
  const { status } = response
  const after = response.headers.get('Retry-After')
  const retryAfterMs = after * 1000 || Date.parse(after) - Date.now() || 0
  return Object.assign(new Error(message ?? `HTTP ${status}`), { status, code, reason, retryAfterMs })
}

/** Whose token it is: tabs of one user share. */
function userOf (token) {
  try { return JSON.parse(atob(token.split('.')[1])).userId } catch {}
}

/** Reads text, in whatever pieces, as the HTML standard says. Yields blocks that have data or an id. */
function parser (onRetry) {
  let [rest, afterReturn, block] = ['', false, {}]
  return function * (text) {
    if (afterReturn && text[0] === '\n') text = text.slice(1)
    afterReturn = text.endsWith('\r')
    const lines = (rest + text).split(/\r\n|\r|\n/)
    rest = lines.pop()
    for (const line of lines) {
      const [, field, value] = /^([^:]*):? ?([^]*)$/.exec(line)
      if (line === '') {
        const { id, event, data } = block
        block = {}
        if (data !== undefined) yield { type: event || 'message', id, data: JSON.parse(data) }
        else if (id) yield { type: '', id }
      } else if (field === 'data') block.data = block.data === undefined ? value : `${block.data}\n${value}`
      else if (field === 'event' || (field === 'id' && !value.includes('\0'))) block[field] = value
      else if (field === 'retry' && /^\d+$/.test(value)) onRetry(+value)
    }
  }
}

export function subscribe ({ url, channelId, token, format = 'compact', after, onEvent, onState, heartbeatMs = 15_000, share = 'document' in globalThis, signal }) {
  const path = channelId === undefined ? 'users/me' : `channels/${encodeURIComponent(channelId)}`
  const { url: target } = new Request(`${url.replace(/\/$/, '')}/v1/${path}/events?format=${format}`)
  /** Where what came last stands, and what was dealt with last. */
  let [place, cursor] = [after, after]
  let [state, closed, failures, retry] = ['connecting', false, 0, RETRY_MS]
  let dealt = Promise.resolve()
  let bearer, refused, attempt, nap, online
  /** Of tabs that share: the channel, the wait for the lock, and while this tab has it, whatever is its own. */
  let channel, queue, turn

  /** What the application throws stops nothing here. */
  async function call (handler, ...args) {
    try { await handler?.(...args) } catch (error) { setTimeout(() => { throw error }) }
  }

  /** To the tabs that follow: where this one is, and what comes next. */
  function say (frame) {
    if (turn) channel.postMessage([place, state, frame])
  }

  function enter (next, error) {
    if ((state === next && !error) || state === 'closed') return
    state = next
    call(onState, next, error)
    say()
  }

  /** One after the other, whichever way they came. */
  function deliver ({ type, id, data }) {
    if (id) place = id
    dealt = dealt.then(async () => {
      if (closed) return
      if (isEvent(type)) await call(onEvent, { type, id, data })
      if (id) cursor = id
    })
    return dealt
  }

  /** Calls back after a silence, sleep of the machine included. Returns what ends a silence, and what ends the watch. */
  function watch (ms, onSilence) {
    let heardAt, ticks
    const heard = () => { heardAt = Date.now(); ticks = 0 }
    heard()
    const timer = setInterval(() => {
      if (Math.max(++ticks * ms / 4, Date.now() - heardAt) <= ms) return
      heard()
      onSilence()
    }, ms / 4)
    return [heard, () => clearInterval(timer)]
  }

  /** One connection, in the place of any other. Ends when `take` says so, and throws however else it ends. */
  async function read (from, take) {
    attempt?.abort()
    const mine = attempt = new AbortController()
    let busy = false
    const [heard, unwatch] = watch(2 * heartbeatMs, () => busy || mine.abort(new Error('Nothing was heard')))
    mine.signal.addEventListener('abort', unwatch)
    if (closed) mine.abort()
    try {
      const headers = { Authorization: `Bearer ${bearer}`, Accept: 'text/event-stream' }
      const earliest = from === 'earliest'
      if (from && !earliest) headers['Last-Event-ID'] = from
      const response = await fetch(earliest ? `${target}&after=${from}` : target, { headers, signal: mine.signal, cache: 'no-store' })
      if (!response.ok || !/^text\/event-stream/i.test(response.headers.get('Content-Type'))) throw await refusalOf(response)
      const reader = response.body.getReader()
      const decoder = new TextDecoder()
      const parse = parser(ms => { retry = ms })
      for (;;) {
        const { done, value } = await reader.read()
        if (done) throw new Error('The stream ended')
        heard()
        say()
        busy = true
        for (const frame of parse(decoder.decode(value, { stream: true }))) {
          mine.signal.throwIfAborted()
          if (frame.type === 'bye') throw Object.assign(new Error('The service ended the stream'), { reason: frame.data.reason })
          if (await take(frame)) return
        }
        busy = false
      }
    } finally {
      mine.abort()
    }
  }

  async function take (frame) {
    say(frame)
    await deliver(frame)
    if (frame.type === 'ready') {
      failures = 0
      enter('replaying')
    } else if (frame.type === 'caught-up') enter('live')
  }

  async function run (going) {
    while (going()) {
      try {
        enter('connecting')
        await read(place, take)
      } catch (error) {
        if (going()) await failed(error)
      }
    }
  }

  /** Closes, or waits until it is time to try again. */
  async function failed (error) {
    if (closed) return
    const { status, reason, retryAfterMs = 0 } = error
    const bye = status ? undefined : reason
    if (status === 403 || status === 404 || bye === 'removed' || bye === 'deleted') return close(error)
    if (bye) failures = 0
    let wait = Math.max(backoff(retry, failures), retryAfterMs)
    if (status === 401 || bye === 'expired') {
      if (failures === 0) wait = 0
      ;[refused, bearer, retry] = [bearer, undefined, RETRY_MS]
    }
    if (online) online = failures = wait = 0
    failures++
    nap = new AbortController()
    const telling = setInterval(say, heartbeatMs) // that this one waits, and the others are to
    enter('waiting', error)
    await sleep(wait, nap.signal)
    clearInterval(telling)
    if (!bearer) queue?.abort()
  }

  async function main () {
    while (!closed) {
      try {
        bearer ??= typeof token === 'function' ? await token(refused) : refused ? undefined : token
      } catch (cause) {
        await failed(new Error('There is no token', { cause }))
        continue
      }
      if (!bearer) return close(Object.assign(new Error('There is no token'), { status: 401 }))
      const user = share === true ? userOf(bearer) : share
      if (!user || !globalThis.BroadcastChannel || !globalThis.navigator?.locks) await run(() => !closed && bearer)
      else await together(`channel-relay/1 ${target} ${user}`).catch(() => { share = false })
    }
  }

  /** One tab has the lock and the connection; the others follow what it says, and wait for the lock. */
  async function together (name) {
    let steal = false
    let [received, dropped] = [0, 0]
    let inbox = Promise.resolve()
    /** Where the tab that leads is; null: it is not known how this one stands to that. */
    let chain = null
    /** What that may say and this one has had: the first messages, whatever they say; these ids. Until it has `passed` them. */
    let [joined, had, passed] = [0, new Set(), true]

    /** By itself up to where it no longer matters which of the two is ahead: what follows on the one place is known, and on the other. */
    async function join (at) {
      had = new Set()
      passed = at === place
      if (passed) return
      joined = received
      const until = ({ type, id }) => {
        had.add(id)
        return type === 'caught-up'
      }
      await read(at, until)
      await read(place, async frame => {
        await deliver(frame)
        return until(frame)
      })
      failures = 0
    }

    async function follow ([at, said, frame], number) {
      const follows = () => !turn && !closed
      if (!follows() || number <= dropped) return
      if (at !== chain) {
        if (at !== place && said !== 'live') return enter(said) // it will be, or falls silent
        if (place === undefined) place = cursor = at // whoever names no place begins now
        chain = null
        try {
          await join(at)
        } catch (error) {
          if (follows()) await failed(error)
          dropped = received
          return
        }
      }
      chain = frame?.id || at
      if (frame && number > joined) {
        if (!isEvent(frame.type)) {
          if (passed) had.clear()
        } else if (!had.has(frame.id)) passed = true
        if (passed && !had.has(frame.id)) await deliver(frame)
      }
      if (follows()) enter(said)
    }

    async function lead () {
      const mine = turn = {}
      chain = null
      // What `onEvent` never comes back from keeps no other tab waiting once this is closed.
      await Promise.race([run(() => turn === mine && !closed && bearer), over])
    }

    channel = new BroadcastChannel(name)
    const [heard, unwatch] = watch(2.5 * heartbeatMs, () => {
      if (turn) return
      steal = true
      queue.abort()
    })
    channel.onmessage = ({ data }) => {
      if (!Array.isArray(data)) return say()
      heard()
      const number = ++received
      inbox = inbox.then(() => follow(data, number))
    }
    channel.postMessage(null)
    const going = () => !closed && bearer && share
    while (going()) {
      queue = new AbortController()
      const options = steal ? { steal } : { signal: queue.signal }
      steal = false
      await navigator.locks.request(name, options, lead).catch(() => {
        if (!turn && !queue.signal.aborted) share = false // a page that may have none
      })
      if (turn) interrupt() // the lock was stolen
      turn = undefined
    }
    dropped = Infinity
    unwatch()
    channel.close()
  }

  function interrupt () {
    attempt?.abort()
    nap?.abort()
  }

  function close (error) {
    if (closed) return
    closed = true
    turn = undefined
    end()
    interrupt()
    queue?.abort()
    for (const type of lines) globalThis.removeEventListener?.(type, changed)
    signal?.removeEventListener('abort', finish)
    enter('closed', error)
  }

  /** The machine has a network again, or has none: what waits for the old one need not. */
  function changed ({ type }) {
    online = type === 'online'
    interrupt()
  }

  const finish = () => close()
  let end
  const over = new Promise(resolve => { end = resolve })
  const lines = ['online', 'offline']
  for (const type of lines) globalThis.addEventListener?.(type, changed)
  signal?.addEventListener('abort', finish)
  if (signal?.aborted) finish()
  Promise.resolve().then(main)
  return { close: finish, get cursor () { return cursor }, get state () { return state } }
}

/** Whether it is the application's: the others are of the stream itself. */
const isEvent = type => !['', 'ready', 'caught-up', 'checkpoint'].includes(type)

export async function send ({ url, channelId, token, message, idempotencyKey = crypto.getRandomValues(new Uint32Array(4)).join('-'), signal }) {
  const target = `${url.replace(/\/$/, '')}/v1/channels/${encodeURIComponent(channelId)}/messages`
  const body = JSON.stringify(typeof message === 'string' ? { textPayload: message } : message)

  async function tryToSend () {
    let bearer, refused, refusal
    for (let failures = 0; ; failures++) {
      signal?.throwIfAborted()
      let error
      try {
        bearer ??= typeof token === 'function' ? await token(refused) : token
      } catch (cause) {
        error = cause
      }
      if (!error) {
        if (!bearer || bearer === refused) throw refusal ?? Object.assign(new Error('There is no token'), { status: 401 })
        const request = new Request(target, { method: 'POST', body, headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey } })
        try {
          const response = await fetch(request, { signal: AbortSignal.any([AbortSignal.timeout(30_000), signal].filter(Boolean)) })
          if (response.ok) return await response.json()
          error = await refusalOf(response)
        } catch (cause) {
          error = cause
        }
      }
      const { status, retryAfterMs = 0 } = error
      if (status === 401 && !refused) [refused, refusal, bearer] = [bearer, error]
      else if (status && ![429, 502, 503, 504].includes(status)) throw error
      else await sleep(Math.max(backoff(RETRY_MS, failures), retryAfterMs), signal)
    }
  }

  return await new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason) // whatever the rest is at
    signal?.addEventListener('abort', abort)
    tryToSend().then(resolve, reject).finally(() => signal?.removeEventListener('abort', abort))
  })
}
