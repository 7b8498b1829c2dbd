/**
 * Holds a history against the promises (protocol 8): one log, in which everything acknowledged is once, in an order that
 * nobody's clock contradicts, and of which every stream was told what it was entitled to, once, in that order.
 */
import { parseCursor } from '../../src/store/core/cursor.ts'
import { checkStream } from './check-stream.ts'
import { inWords, type History } from './history.ts'
import { Log } from './log.ts'

/** All that is wrong, in sentences; empty where the promises were kept. */
export function check (history: History): string[] {
  const log = new Log(history.logs[0]?.told ?? [])
  return [
    ...oneLog(history, log),
    ...everySend(history, log),
    ...everyChange(history, log),
    ...sendersWereActive(log),
    ...refusalsAreExplained(history),
    ...orderOfClocks(history, log),
    ...everyList(history, log),
    ...history.streams.flatMap(stream => [...checkStream(stream, log, history.lossy === true)])
  ]
}

/** All nodes tell the same log, whose positions rise. */
function * oneLog ({ logs }: History, log: Log): Iterable<string> {
  if (logs.length === 0) yield 'no log was read'
  for (const [index, { id }] of log.entries.entries()) {
    if (parseCursor(id ?? '') === undefined) yield `log: ${id} is no cursor`
    else if (index > 0 && log.positionAt(index) <= log.positionAt(index - 1)) yield `log: ${id} stands behind ${log.entries[index - 1]!.id}`
  }
  for (const { node, told } of logs.slice(1)) {
    const entries = new Log(told).entries
    const at = log.entries.findIndex((entry, index) => inWords(entries[index]) !== inWords(entry))
    if (at !== -1) yield `log: node ${node} tells ${inWords(entries[at])} where node ${logs[0]!.node} tells ${inWords(log.entries[at])}`
    else if (entries.length > log.entries.length) yield `log: node ${node} tells ${inWords(entries[log.entries.length])} where node ${logs[0]!.node} ends`
  }
}

/** What was acknowledged is there, once, where its answer said; what was refused is not; nothing is there that nobody sent. */
function * everySend ({ sends, lossy }: History, log: Log): Iterable<string> {
  const asked = new Set(sends.map(({ text }) => text))
  for (const [said, messages] of log.messages) {
    if (!asked.has(said)) yield `log: nobody sent ${said}`
    if (messages.length > 1) yield `log: ${said} is there ${messages.length} times, ${messages.map(({ id }) => id).join(' and ')}`
  }
  for (const { text: said, status, user, channel, cursor, message } of sends) {
    const [found] = log.messages.get(said) ?? []
    if (status === undefined) continue
    if (status === 200) {
      if (found === undefined) {
        if (lossy !== true) yield `log: ${said} was acknowledged as ${cursor} and is missing`
      } else if (found.user !== user || found.channel !== channel) {
        yield `log: ${said} was sent by ${user} to ${channel}, and is ${inWords(found)}`
      } else if (lossy !== true && (found.id !== cursor || found.message !== message)) {
        yield `log: ${said} was acknowledged as ${cursor}, ${message}, and is ${inWords(found)}`
      }
    } else if (found !== undefined) yield `log: ${said} was refused (${status}) and is there, ${found.id}`
  }
}

/** What became of somebody in a channel is what was asked for, one after the other. */
function * everyChange (history: History, log: Log): Iterable<string> {
  for (const { user, channel, changes, entries } of pairedChanges(history, log)) {
    const [wanted, found] = [changes.map(({ to }) => to).join(' '), entries.map(entry => log.statusOf(entry)).join(' ')]
    if (wanted !== found) yield `log: ${user} in ${channel} was to become ${wanted}, and became ${found}`
  }
}

function pairedChanges ({ changes }: History, log: Log) {
  const pairs = Map.groupBy(changes, ({ user, channel }) => `${user} ${channel}`)
  return [...pairs.values()].map(ofOne => {
    const { user, channel } = ofOne[0]!
    return { user, channel, changes: ofOne, entries: log.changesOf(user, channel) }
  })
}

/** Who was muted, or out, when it was committed has said nothing. */
function * sendersWereActive (log: Log): Iterable<string> {
  for (const [index, entry] of log.entries.entries()) {
    if (entry.event !== 'message') continue
    const status = log.statusAt(entry.user!, entry.channel!, index)
    if (status !== 'active') yield `log: ${inWords(entry)} is by somebody who is ${status} there`
  }
}

/** Nobody is refused who was active all the time from the first question to the answer; and nothing is answered but yes, no or later. */
function * refusalsAreExplained ({ sends, changes }: History): Iterable<string> {
  const ofOne = Map.groupBy(changes, ({ user, channel }) => `${user} ${channel}`)
  for (const { user, channel, text: said, status, reason, askedAt, answeredAt } of sends) {
    if (status === undefined || status === 200) continue
    const theirs = ofOne.get(`${user} ${channel}`) ?? []
    const explained = status === 403 && theirs.some(({ to, askedAt: from }, index) => {
      const until = theirs.slice(index + 1).find(later => later.to === 'active')?.answeredAt ?? Infinity
      return to !== 'active' && from <= answeredAt && until >= askedAt
    })
    if (!explained) yield `${said} of ${user} in ${channel} was refused without cause: ${status} ${reason}`
  }
}

/** What was answered before something else was asked stands before it in the log. */
function * orderOfClocks (history: History, log: Log): Iterable<string> {
  const all: Array<{ position: number, askedAt: number, answeredAt: number, what: string }> = []
  for (const { text: said, askedAt, answeredAt } of history.sends) {
    const [found] = log.messages.get(said) ?? []
    if (found !== undefined) all.push({ position: log.positionOf(found), askedAt, answeredAt, what: `${said} (${found.id})` })
  }
  for (const { changes, entries } of pairedChanges(history, log)) {
    if (changes.length !== entries.length) continue
    for (const [index, { user, to, askedAt, answeredAt }] of changes.entries()) {
      all.push({ position: log.positionOf(entries[index]!), askedAt, answeredAt, what: `${user} ${to} (${entries[index]!.id})` })
    }
  }
  all.sort((one, other) => other.position - one.position)
  let earliest: typeof all[number] | undefined
  for (const one of all) {
    if (earliest !== undefined && earliest.answeredAt < one.askedAt) {
      yield `log: ${earliest.what} was answered ${Math.round(one.askedAt - earliest.answeredAt)} ms before ${one.what} was asked, and stands behind it`
    }
    if (earliest === undefined || one.answeredAt < earliest.answeredAt) earliest = one
  }
}

/** Lists have what the log has. */
function * everyList ({ lists }: History, log: Log): Iterable<string> {
  const ofChannel = Map.groupBy([...log.entries.filter(({ event }) => event === 'message')], ({ channel }) => channel!)
  for (const { node, channel, messages } of lists) {
    const wanted = (ofChannel.get(channel) ?? []).map(({ message, text: said }) => `${message} ${said}`)
    const found = messages.map(({ id, text: said }) => `${id} ${said}`)
    const at = Array.from({ length: Math.max(wanted.length, found.length) }).findIndex((_, index) => wanted[index] !== found[index])
    if (at !== -1) yield `list: node ${node} has ${found[at] ?? 'nothing'} in ${channel} where the log has ${wanted[at] ?? 'nothing'}`
  }
}
