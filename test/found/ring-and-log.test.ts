/** Whatever has happened since a place, a stream that goes on from memory tells what one tells that reads the log. */
import { afterEach, expect, it } from 'vitest'
import { SYSTEM, type Command } from '../../src/store/contract/commands.ts'
import { parseLists } from '../../src/rules/access-entries.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, join, leave, send } from '../support/commands.ts'
import { randomsOf } from '../support/delayed-reads.ts'
import { fromTheLog } from '../support/from-the-log.ts'
import { isEntry, openReader } from '../support/sse.ts'
import { mittersForm, withoutOwnSentTime } from '../stream/mitters-form.ts'

let on: TestApp
let fromLog = false
afterEach(async () => { await on.stop() })

const below = (random: () => number) => (n: number) => Math.floor(random() * n)
const users = ['amy', 'bob', 'cat', 'dan']
const rooms = ['room-one1', 'room-two2', 'room-three']

const seeds = Array.from({ length: Number(process.env.SEEDS ?? 4) }, (_, index) => Number(process.env.SEED ?? 1) + index)
it.each(seeds)('seed %i', async seed => {
  on = await startApp({ wrapStore: store => fromTheLog(store, () => fromLog) })
  const r = below(randomsOf(seed))
  const pick = <T>(of: readonly T[]): T => of[r(of.length)]!
  const headers: Record<string, Record<string, string>> = {}
  for (const user of users) headers[user] = await on.user(user)
  const messages: Array<{ id: string, room: string, by: string }> = []
  const cursors: string[] = []
  const appliedFor = (room: string, kind: 'message' | 'channel') => {
    const entries = kind === 'message'
      ? [`read_message:user(${pick(users)})`, `read_message:participant(${room})`, `read_message:participant(${room}:ReadOnly)`, ...(process.env.ANY === undefined ? [] : ['read_message:any_user()']), `read_message:admin(${room})`]
      : [`read_from_channel:user(${pick(users)})`, `read_from_channel:participant(${room})`, `read_from_channel:participant(${room}:Active)`, 'read_from_channel:any_user()', `read_from_channel:participant(${room}:Disabled)`]
    const plus = Array.from({ length: r(3) }, () => pick(entries))
    const minus = Array.from({ length: r(2) }, () => pick(entries))
    return { plusAppliedAcls: [...new Set(plus)], minusAppliedAcls: [...new Set(minus)] }
  }
  const listsFor = (room: string, kind: 'message' | 'channel') => parseLists(appliedFor(room, kind), { kind, channelId: room } as never)
  let deletedUsers = 0
  const step = async (): Promise<void> => {
    const [room, user] = [pick(rooms), pick(users)]
    const what = r(100)
    let command: Command
    if (what < 8) command = createChannel(pick([...users, SYSTEM]), room, { groupType: pick(['public', 'private', 'strict_private']), participants: r(2) === 0 ? [] : [{ userId: user, status: 'active', roles: [] } as never] })
    else if (what < 20) command = join(user, room)
    else if (what < 26) command = leave(user, room)
    else if (what < 30) command = { type: 'change-participant', actor: SYSTEM, channelId: room, userId: user, newStatus: pick(['Active', 'ReadOnly', 'Disabled']) }
    else if (what < 60) {
      const acls = r(4) === 0 ? listsFor(room, 'message') : undefined
      command = send(pick([user, SYSTEM]), room, `text ${r(1000)}`, acls === undefined ? {} : { actor: SYSTEM, acls } as never)
      messages.push({ id: (command as any).messageId, room, by: user })
    } else if (what < 68 && messages.length > 0) {
      const { id, room } = pick(messages.slice(-6))
      command = { type: 'edit-message', actor: SYSTEM, channelId: room, messageId: id, textPayload: `edited ${r(1000)}` }
    } else if (what < 76 && messages.length > 0) {
      const { id, room } = pick(messages.slice(-6))
      command = { type: 'delete-messages', actor: SYSTEM, channelId: room, messageIds: [id] }
    } else if (what < 84 && messages.length > 0) {
      const { id, room } = pick(messages.slice(-6))
      command = { type: 'add-message-event', actor: SYSTEM, channelId: room, messageIds: [id], event: { type: 'mitter.mtet.ReadTime', eventTimeMs: 5, subject: user } }
    } else if (what < 87) command = { type: 'truncate-channel', actor: SYSTEM, channelId: room }
    else if (what < 89) command = { type: 'delete-channel', actor: SYSTEM, channelId: room }
    else if (what < 94) command = { type: 'change-acls', actor: SYSTEM, of: { kind: 'channel', channelId: room } as never, patch: { patchType: 'Set', setAcls: appliedFor(room, 'channel') } as never }
    else if (what < 99 && messages.length > 0) {
      const { id, room } = pick(messages.slice(-6))
      command = { type: 'change-acls', actor: SYSTEM, of: { kind: 'message', messageId: id } as never, patch: { patchType: 'Set', setAcls: appliedFor(room, 'message') } as never }
    } else if (deletedUsers++ === 0 && r(3) === 0) command = { type: 'delete-user', actor: SYSTEM, userId: 'dan' }
    else command = { type: 'add-channel-event', actor: SYSTEM, channelId: room, event: { type: 'custom.type', eventTimeMs: 7, subject: user } }
    try {
      await on.store.append(command)
      done[command.type] = (done[command.type] ?? 0) + 1
    } catch (err) {
      if (!('refusal' in (err as object))) throw err
    }
  }
  const done: Record<string, number> = {}
  for (let n = 0; n < 25; n++) await step()
  for (let n = 0; n < 60; n++) {
    if (n % 4 === 0) cursors.push((await on.store.head()).cursor)
    await step()
  }
  const told = async (path: string, as: Record<string, string>, log: boolean, more = '') => {
    fromLog = log
    const reader = await openReader(`${on.url}${path}${more}`, as)
    if (reader.status !== 200) return { status: reader.status }
    const last = await reader.until(({ event }) => event === 'caught-up' || event === 'bye')
    const frames = reader.frames.filter(isEntry).map(({ id, event, json }) => ({ id, event: event ?? 'message', json }))
    reader.close()
    return { status: 200, last: [last.event, last.json.reason, last.event === 'bye' ? undefined : last.id], frames }
  }
  cursors.push('earliest')
  for (const cursor of cursors) {
    for (const [path, as] of [
      ['/v1/events', on.application] as const,
      ...users.map(user => ['/v1/users/me/events', headers[user]!] as const),
      ...rooms.flatMap(room => [[`/v1/channels/${room}/events`, on.application] as const, ...users.map(user => [`/v1/channels/${room}/events`, headers[user]!] as const)])
    ]) {
      const query = `?after=${cursor}`
      const ring = await told(path, as, false, query)
      const log = await told(path, as, true, query)
      expect(ring, `${path} after ${cursor}`).toEqual(log)
      const compact: any = await told(path, as, r(2) === 0, `${query}&format=compact`)
      if (compact.frames !== undefined) {
        const full = (ring as any).frames.map((frame: any) => ({ ...frame, json: withoutOwnSentTime(frame.json) }))
        expect(compact.frames.map((frame: any) => ({ ...frame, json: mittersForm(frame.id, frame.event, frame.json) })), `compact ${path}`).toEqual(full)
      }
    }
  }
}, 120_000)
