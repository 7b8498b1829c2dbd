/** A channel's lists change while many send and come: what everybody does at once, and what that makes of the log. */
import { expect } from 'vitest'
import { SYSTEM } from '../relay/steps.ts'
import type { World } from '../relay/world.ts'
import { isEntry, type Reader } from '../support/sse.ts'
import { frameGist } from './model/gists.ts'

export const joiners = Array.from({ length: 20 }, (_, nth) => `joiner${nth}`)
/** Each sends one after the other: amy, who is admin, and members who are not. */
export const senders = ['amy', 'amy', 'bob', 'bob', 'bob', 'cleo', 'cleo', 'cleo']
const SENDS_EACH = 25

/** Sends that are answered before the lists close, and before they open again. */
const CLOSE_AFTER = 60
const OPEN_AFTER = 130

/** What had been asked and answered: nothing, the closing, the opening. */
type Phase = 'before' | 'closing' | 'closed' | 'opening' | 'open'

export interface Sent {
  text: string
  by: string
  began: Phase
  ended: Phase
  said: string
  /** What it lacks. */
  missing: string | undefined
}

/** For admins only, whoever reads or sends. */
export const closed = (world: World) => `+read_from_channel:admin(${world.id('room')}),+send_to_channel:admin(${world.id('room')})`

/** A connection of its own: it does not queue behind what others do. */
export async function patchLists (world: World, setAcls: string): Promise<void> {
  const { status } = await fetch(`${world.on.url}/v1/channels/${world.id('room')}/acls`, {
    method: 'PATCH', headers: { ...world.headers(SYSTEM), 'content-type': 'application/json' }, body: JSON.stringify({ patchType: 'Set', setAcls })
  })
  expect(status).toBe(204)
}

/** 200 sends and 20 joins, in the midst of which the lists close, and open again. */
export async function race (world: World): Promise<Sent[]> {
  const sent: Sent[] = []
  let phase: Phase = 'before'
  const [closing, opening] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]

  async function say (by: string, text: string): Promise<void> {
    const began = phase
    const { said, body } = await world.take({ do: 'send', by, channel: 'room', text, message: text })
    sent.push({ text, by, began, ended: phase, said, missing: body.diagnostics?.missingPrivileges?.join() })
    if (sent.length >= CLOSE_AFTER) closing.resolve()
    if (sent.length >= OPEN_AFTER) opening.resolve()
  }
  async function change (begins: Promise<void>, during: Phase, after: Phase, lists: string): Promise<void> {
    await begins
    phase = during
    await patchLists(world, lists)
    phase = after
  }
  const sending = senders.map(async (by, nth) => {
    for (let count = 0; count < SENDS_EACH; count++) await say(by, `text${nth}-${count}-by-${by}`)
  })
  // Now and then, all the while.
  const joining = (async () => {
    for (const [nth, by] of joiners.entries()) {
      while (sent.length < 10 * nth && sent.length < senders.length * SENDS_EACH) await new Promise(resolve => setImmediate(resolve))
      expect((await world.take({ do: 'join', by, channel: 'room' })).said).toBe('204')
    }
  })()
  await change(closing.promise, 'closing', 'closed', closed(world))
  await change(opening.promise, 'opening', 'open', '')
  await Promise.all([...sending, joining])
  for (const [nth, by] of ['amy', 'bob', 'cleo'].entries()) await say(by, `last${nth}-by-${by}`)
  return sent
}

/** An entry as everything's stream tells of it. */
export interface Happened {
  cursor: string
  gist: string
  /** Who came with it. */
  joined?: string
  /** The text that it says. */
  text?: string
}

export const lineOf = (world: World) => (frame: Reader['frames'][number]) => frameGist(frame, id => world.name(id))

export function happened (world: World, { frames }: Reader): Happened[] {
  return frames.filter(frame => isEntry(frame) && world.owns(frame)).map(frame => ({
    cursor: frame.id!,
    gist: lineOf(world)(frame),
    ...(frame.event === 'participation' ? { joined: world.name(frame.json.participantId.identifier) } : {}),
    ...(frame.event === 'message' ? { text: frame.json.message.textPayload as string } : {})
  }))
}

/** What somebody is to have of it: who is in the channel from an entry on, and reads it while its lists are open, or always. */
export function expectedOf (entries: Happened[], { user, always = false, from = -1 }: { user: string, always?: boolean, from?: number }): Happened[] {
  const [close, open] = changesIn(entries)
  const joined = entries.findIndex(entry => entry.joined === user)
  const since = joined === -1 ? from : joined
  return entries.flatMap((entry, index) => {
    if (index < since) return []
    if (always || index === since || index < close || index >= open) return [entry]
    // Whoever may not read afterwards is not told of the lists.
    return index === close ? [{ ...entry, gist: entry.gist.slice(0, entry.gist.indexOf(' {')) }] : []
  })
}

/** Where the lists closed, and opened. */
export function changesIn (entries: Happened[]): [close: number, open: number] {
  const changes = entries.flatMap(({ gist }, index) => gist.startsWith('channel-acls-changed') ? [index] : [])
  expect(changes).toHaveLength(2)
  return changes as [number, number]
}
