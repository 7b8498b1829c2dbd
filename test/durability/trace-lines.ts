/** From strace's lines to what was written, synced and sent, in the order in which it happened. */

/** One call, or a sync's beginning and end. Places in the list of steps are moments. */
export type Step =
  | { type: 'write', file: string, offset: number, bytes: Buffer }
  | { type: 'truncate', file: string, size: number }
  | { type: 'sync-begin', file: string }
  /** `begun` is the place of its beginning: what was written before that is on disk now, unless it failed. */
  | { type: 'sync-end', file: string, begun: number, succeeded: boolean }
  /** Bytes on their way to a client. */
  | { type: 'sent', socket: string, bytes: Buffer }

/** A call that has begun in a thread. */
interface Begun {
  name: string
  step: Step | undefined
  place: number
}

const WRITES_AT_A_PLACE = ['pwrite64']
const WRITES = ['write', 'writev', 'sendto', 'sendmsg', 'sendmmsg']
const SYNCS = ['fsync', 'fdatasync']

/** Files whose every change has to be understood here, or the record would be wrong without saying so. */
const exact = /\.db(-wal)?$/

export function parseTrace (trace: string): Step[] {
  const steps: Step[] = []
  const begun = new Map<string, Begun>()
  let start = 0
  for (let end = trace.indexOf('\n'); end !== -1; start = end + 1, end = trace.indexOf('\n', start)) {
    const line = trace.slice(start, end)
    const [, thread, rest] = /^(\d+) +(.*)$/s.exec(line) ?? []
    if (thread === undefined || rest === undefined) throw new Error(`strace wrote what is no call: ${line.slice(0, 200)}`)
    if (rest.startsWith('+++') || rest.startsWith('---')) continue
    if (!rest.startsWith('<... ')) {
      const call = beginCall(rest, steps.length)
      if (call.step !== undefined) steps.push(call.step)
      begun.set(thread, call)
    }
    if (rest.endsWith('<unfinished ...>')) continue
    const call = begun.get(thread)
    if (call === undefined) throw new Error(`strace ended a call that had not begun: ${line.slice(0, 200)}`)
    begun.delete(thread)
    endCall(call, resultOf(rest), steps)
  }
  return steps
}

function beginCall (text: string, place: number): Begun {
  const open = text.indexOf('(')
  const name = text.slice(0, open)
  const [, file = ''] = /^\d+<(.*?[^-])>(?=[,) ]|$)/s.exec(text.slice(open + 1, open + 600)) ?? []
  const socket = file.startsWith('TCP')
  if (SYNCS.includes(name)) return { name, place, step: { type: 'sync-begin', file } }
  if (WRITES_AT_A_PLACE.includes(name)) {
    const offset = Number(/, (\d+)(?:\)|  ?<unfinished)[^"]*$/.exec(text.slice(-80))?.[1])
    if (!Number.isSafeInteger(offset)) throw new Error(`no offset in: ${text.slice(-80)}`)
    return { name, place, step: { type: 'write', file, offset, bytes: literalsOf(text) } }
  }
  if (name === 'ftruncate') return { name, place, step: { type: 'truncate', file, size: Number(/, (\d+)/.exec(text)?.[1]) } }
  if (WRITES.includes(name) && socket) return { name, place, step: { type: 'sent', socket: file, bytes: literalsOf(text) } }
  if (exact.test(file)) throw new Error(`the record does not know what this changes: ${text.slice(0, 200)}`)
  return { name, place, step: undefined }
}

function endCall ({ step, place, name }: Begun, result: number, steps: Step[]): void {
  if (step?.type === 'sync-begin') steps.push({ type: 'sync-end', file: step.file, begun: place, succeeded: result === 0 })
  else if (step?.type === 'write' || step?.type === 'sent') step.bytes = step.bytes.subarray(0, Math.max(result, 0))
  else if (step?.type === 'truncate' && result !== 0) throw new Error(`${name} failed: the record cannot tell what is in the file`)
}

/** What the call answered; a call that the process did not live to see the end of is not known to have done anything. */
function resultOf (text: string): number {
  const result = /= (-?\d+|\?)[^=]*$/.exec(text.slice(-200))?.[1]
  if (result === undefined) throw new Error(`no result in: ${text.slice(-200)}`)
  return result === '?' ? -1 : Number(result)
}

/** All the bytes in a call's string arguments, one after the other. */
function literalsOf (text: string): Buffer {
  const bytes = Buffer.allocUnsafe(text.length)
  let length = 0
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at)) {
    for (at++; text[at] !== '"'; length++) {
      if (text[at] === '\\') at = escaped(text, at + 1, bytes, length)
      else bytes[length] = text.charCodeAt(at++)
    }
    at++
    if (text.startsWith('...', at)) throw new Error('strace left bytes out')
  }
  return Buffer.from(bytes.subarray(0, length))
}

const letters: Record<string, number> = { n: 10, t: 9, r: 13, v: 11, f: 12, '"': 34, '\\': 92 }

/** Reads what follows a backslash; answers where it ends. */
function escaped (text: string, at: number, bytes: Buffer, to: number): number {
  const letter = letters[text[at]!]
  if (letter !== undefined) {
    bytes[to] = letter
    return at + 1
  }
  const [octal] = /^[0-7]{1,3}/.exec(text.slice(at, at + 3)) ?? []
  if (octal === undefined) throw new Error(`strace escaped something unknown: ${text.slice(at - 1, at + 3)}`)
  bytes[to] = parseInt(octal, 8)
  return at + octal.length
}
