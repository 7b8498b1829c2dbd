/** Holds what one reader was told, over all of its connections, against the log. */
import { inWords, isEntry, type Connection, type Stream, type Told } from './history.ts'
import { receives, type Log } from './log.ts'

/** Where a reader has a right to an entry, whether it must get it, or may. */
type Due = 'must' | 'may' | 'never'

/**
 * Who leaves may or may not have got what was said shortly before: it is withheld from the leaving on
 * (protocol 8, promise 4). What is about the reader itself it gets in any case.
 */
function due ({ user, channel }: Stream, log: Log, index: number): Due {
  const entry = log.entries[index]!
  if (channel !== undefined && entry.channel !== channel) return 'never'
  if (user === undefined) return 'must'
  const isOwn = (entry.event === 'participation' || entry.event === 'participation-deleted') && entry.user === user
  if (isOwn) return 'must'
  if (entry.channel === undefined || !receives(log.statusAt(user, entry.channel, index))) return 'never'
  return log.staysFrom(user, entry.channel, index) ? 'must' : 'may'
}

/** `lossy`: gaps are allowed, and so is what the log has lost, before one. */
export function * checkStream (stream: Stream, log: Log, lossy: boolean): Iterable<string> {
  /** The last entry that the reader has got, or is taken to have; undefined before it has begun. */
  let at: number | undefined
  /** It was told of something that the log has lost: only a gap may come now. */
  let lost = false
  let lastId: string | undefined

  for (const [count, connection] of stream.connections.entries()) {
    const where = `${stream.name}, connection ${count} (node ${connection.node})`
    yield * beginning(connection, where)
    if (connection.after !== lastId) yield `${where}: went on after ${connection.after}, and had ${lastId}`
    for (const told of connection.told) {
      if (told.id !== undefined) lastId = told.id
      if (told.event === 'gap') {
        if (!lossy) yield `${where}: a gap, ${told.reason}`
        at = log.placeOf(told.id!)
        lost = at === undefined
        continue
      }
      if (told.event === 'ready' && connection.after !== undefined) {
        if (told.id !== connection.after) yield `${where}: was to go on after ${connection.after}, and began at ${told.id}`
        continue
      }
      if (told.id === undefined) continue
      if (told.event === 'ready') {
        at = log.placeOf(told.id)
        lost = at === undefined
        if (lost && !lossy) yield `${where}: began at ${told.id}, which is no place of the log`
        continue
      }
      const problem = isEntry(told) ? entryAt(told) : placeAt(told)
      if (problem !== undefined) yield `${where}: ${problem}`
    }
  }
  if (lost) yield `${stream.name}: goes on from what is lost, and was not told of a gap`
  const missed = missing(at ?? -1, log.entries.length)
  if (missed !== undefined && !lost) yield `${stream.name}: ends without ${missed}`

  function entryAt (told: Told): string | undefined {
    const found = log.indexOf(told.id!)
    if (found === undefined) {
      if (!lossy) return `${inWords(told)} is not in the log`
      lost = true
      return
    }
    if (lost) return `${inWords(told)} comes behind what is lost, without a gap`
    const [entry, before] = [log.entries[found]!, at ?? -1]
    if (inWords(entry) !== inWords(told)) return `${inWords(told)} is in the log ${inWords(entry)}`
    if (due(stream, log, found) === 'never') return `${inWords(told)} is not for this reader`
    if (found <= before) return `${inWords(told)} comes again, or too late: ${inWords(log.entries[before])} was there before it`
    at = found
    const missed = missing(before, found)
    if (missed !== undefined) return `${inWords(told)} comes without ${missed} before it`
  }

  /** A reader may go on from here, so it must have all that is before. */
  function placeAt (told: Told): string | undefined {
    if (lost) return
    const place = log.placeOf(told.id!)
    if (place === undefined) {
      if (!lossy) return `${inWords(told)} is no place of the log`
      lost = true
      return
    }
    const before = at ?? -1
    if (place < before) return `${inWords(told)} goes back behind ${inWords(log.entries[before])}`
    at = place
    const missed = missing(before, place + 1)
    if (missed !== undefined) return `${inWords(told)} comes without ${missed} before it`
  }

  /** What the reader must have, between two places; both exclusive. */
  function missing (after: number, before: number): string | undefined {
    const missed: Told[] = []
    for (let index = after + 1; index < before; index++) if (due(stream, log, index) === 'must') missed.push(log.entries[index]!)
    return missed.length === 0 ? undefined : `${inWords(missed[0])}${missed.length === 1 ? '' : ` and ${missed.length - 1} more`}`
  }
}

/** A stream begins with `ready`, or is told to come back, and is never answered but with 200 (protocol 8, promise 8). */
function * beginning ({ status, told }: Connection, where: string): Iterable<string> {
  if (status !== 200) yield `${where}: answered ${status}`
  const [first] = told
  if (first !== undefined && first.event !== 'ready' && !(first.event === 'bye' && first.reason === 'unavailable')) {
    yield `${where}: begins with ${inWords(first)}`
  }
}
