/** A reader of event streams that keeps every byte: what tests say about frames is said about what was sent. */
import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'

export interface Frame {
  id?: string
  event?: string
  retry?: string
  /** One for each `data:` line. */
  data: string[]
  /** The data, parsed. */

  json: any
}

/** How long a test waits for a frame, in milliseconds: longer than any takes on a busy machine, shorter than a test may. */
const PATIENCE_MS = 10_000

export interface Reader {
  status: number
  headers: IncomingHttpHeaders
  /** All frames so far, in order; comments apart. */
  frames: Frame[]
  /** Comments so far. */
  comments: number
  /** The body so far, as text. */
  raw (): string
  /** The first frame, had or to come, that fits. Rejects where the stream ends before, or nothing fits within `PATIENCE_MS`. */
  until (fits: string | ((frame: Frame) => boolean)): Promise<Frame>
  /** Resolves when the server has ended the stream. */
  ended: Promise<void>
  /** Reads no further, and leaves the connection open. */
  pause (): void
  resume (): void
  /** Breaks the connection. */
  close (): void
  /** The id of the last frame that had one: what an EventSource sends when it connects again. */
  lastId (): string | undefined
}

export async function openReader (url: string, headers: Record<string, string> = {}): Promise<Reader> {
  const outgoing = request(url, { agent: false, headers })
  outgoing.end()
  const [response] = await once(outgoing, 'response') as [IncomingMessage]
  const frames: Frame[] = []
  let [raw, rest, comments] = ['', '', 0]
  let wake = Promise.withResolvers<void>()
  const ended = new Promise<void>(resolve => {
    response.once('close', () => { resolve(); wake.resolve() })
    response.on('error', () => {})
    outgoing.on('error', () => {})
  })
  let over = false
  ended.then(() => { over = true }, () => {})
  response.setEncoding('utf8').on('data', (chunk: string) => {
    raw += chunk
    const parts = (rest + chunk).split('\n\n')
    rest = parts.pop()!
    for (const part of parts) {
      if (part.startsWith(':')) comments++
      else frames.push(parse(part))
    }
    const { resolve } = wake
    wake = Promise.withResolvers()
    resolve()
  })
  return {
    status: response.statusCode!,
    headers: response.headers,
    frames,
    get comments () { return comments },
    raw: () => raw,
    async until (fits) {
      const matches = typeof fits === 'string' ? (frame: Frame) => frame.event === fits : fits
      const had = () => `it had ${frames.length} frames, the last of them ${frames.slice(-12).map(({ event }) => event).join(' ')}`
      let late = false
      const timer = setTimeout(() => { late = true; wake.resolve() }, PATIENCE_MS)
      try {
        for (let index = 0; ;) {
          for (; index < frames.length; index++) if (matches(frames[index]!)) return frames[index]!
          if (over) throw new Error(`the stream ended without ${what(fits)}; ${had()}`)
          if (late) throw new Error(`no ${what(fits)} within ${PATIENCE_MS} ms; ${had()}`)
          await wake.promise
        }
      } finally {
        clearTimeout(timer)
      }
    },
    ended,
    pause: () => { response.pause() },
    resume: () => { response.resume() },
    close: () => { outgoing.destroy() },
    lastId: () => frames.findLast(({ id }) => id !== undefined)?.id
  }
}

const what = (fits: string | ((frame: Frame) => boolean)): string => typeof fits === 'string' ? fits : 'such frame'

function parse (part: string): Frame {
  const frame: Frame = { data: [], json: undefined }
  for (const line of part.split('\n')) {
    const [, field, value] = /^(\w+): (.*)$/s.exec(line) ?? []
    if (field === 'data') frame.data.push(value!)
    else if (field === 'id' || field === 'event' || field === 'retry') frame[field] = value!
    else throw new Error(`not a line of an event stream: ${JSON.stringify(line)}`)
  }
  frame.json = JSON.parse(frame.data.join('\n'))
  return frame
}

/** Names of control events; everything else is an entry of the log. */
const control = new Set(['ready', 'caught-up', 'checkpoint', 'gap', 'bye'])

export const isEntry = (frame: Frame): boolean => !control.has(frame.event!)

/** The texts of the messages that a reader got, in order. */
export const textsOf = ({ frames }: Pick<Reader, 'frames'>): string[] =>
  frames.filter(({ event }) => event === 'message').map(({ json }) => json.message.textPayload as string)
