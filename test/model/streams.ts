/** What an open stream may and must have carried, by the history, and the comparison with what it did. */
import { readsAreDelayed } from '../support/stores.ts'
import type { Entry, Law, Reader } from './history.ts'

/** When a stream was opened, and became live. Moments are numbers of entries that had happened. */
export interface Opening {
  reader: Reader
  /** It goes on after so many entries. */
  from: number
  /** When it was answered, and when `caught-up` was seen at the latest: what happened between was replayed or came live. */
  answered: number
  caughtUp: number
  /** It was told that it cannot go on from where it asked. */
  gap: boolean
}

/** An entry that a stream may carry. */
export interface Carried {
  index: number
  /** As it may be told: live, or by a replay at one of the moments at which it can have been. */
  gists: string[]
  /** Whether it is carried at whichever moment. */
  always: boolean
}

export interface Expected {
  carried: Carried[]
  /** Why it may have ended: none, and it is open. */
  ends: string[]
  /** Whether it may be open, where it may have ended. */
  open: boolean
}

/** What a stream carries of the entries up to `to` (exclusive). */
export function expectedOf (law: Law, opening: Opening, history: Entry[], to = history.length): Expected {
  const { reader, from, answered, caughtUp } = opening
  const carried: Carried[] = []
  const ends: string[] = []
  for (let index = from; index < to; index++) {
    const one = carriedAt(law, opening, history, index)
    if (one !== undefined) carried.push(one)
    const end = index < answered ? undefined : law.endsWith(reader, history, index)
    if (end === undefined) continue
    ends.push(end)
    // Live, it ends at once. During its replay its rights may have ended and come again, seen or not.
    if (index >= caughtUp) return { carried: ends.length > 1 ? maybe(carried) : carried, ends, open: false }
    if (end !== 'removed') return { carried: maybe(carried), ends, open: false }
  }
  if (ends.length === 0) return { carried, ends, open: true }
  return { carried: maybe(carried), ends, open: law.receives(reader, history, to) }
}

const maybe = (carried: Carried[]): Carried[] => carried.map(one => ({ ...one, always: false }))

function carriedAt (law: Law, { reader, answered, caughtUp }: Opening, history: Entry[], index: number): Carried | undefined {
  const gists = new Set<string>()
  let always = true
  const told = (gist: string | undefined) => {
    if (gist === undefined) always = false
    else gists.add(gist)
  }
  const toldLater = (moment: number) => {
    told(law.later(reader, history, index, moment))
    if (law.mayMiss?.(reader, history, index, moment)) always = false
  }
  if (index >= answered) {
    told(law.live(reader, history, index))
    // A node that is told late reads what there is by then, which is more than it has told: a text may have gone, a user have no name any more.
    const late = readsAreDelayed && gists.size > 0 ? history.length : index
    for (let moment = index + 1; moment <= late; moment++) toldLater(moment)
  }
  if (index < caughtUp) {
    for (let moment = Math.max(index + 1, answered); moment <= caughtUp; moment++) toldLater(moment)
  }
  return gists.size === 0 ? undefined : { index, gists: [...gists], always }
}

/** What was read: which entry each frame is of, and how it tells it. */
export interface Told {
  index: number | undefined
  gist: string
}

/** Both in lines, to be compared: what was told, and what is expected, each as it was told where it may be so. */
export function compared (carried: Carried[], told: Told[]): { actual: string[], expected: string[] } {
  const toldBy = new Map(told.map(({ index, gist }) => [index, gist]))
  const expected = carried.flatMap(({ index, gists, always }) => {
    const gist = toldBy.get(index)
    if (gist === undefined && !always) return []
    return [line(index, gist !== undefined && gists.includes(gist) ? gist : gists[0]!)]
  })
  return { actual: told.map(({ index, gist }) => line(index, gist)), expected }
}

const line = (index: number | undefined, gist: string) => `${index ?? 'of no entry'}: ${gist}`
