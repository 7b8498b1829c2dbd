/** Readers that fall behind at random, in the midst of what a turn brings, get what those get that do not. */
import type { Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { SYSTEM, type Command } from '../../src/store/contract/commands.ts'
import { parseLists } from '../../src/rules/access-entries.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, join, leave, send } from '../support/commands.ts'
import { randomsOf } from '../support/delayed-reads.ts'
import { everyOtherFromTheLog } from '../support/from-the-log.ts'
import { isEntry, openReader, type Reader } from '../support/sse.ts'

let on: TestApp
let behind = false
afterEach(async () => { await on.stop() })

const below = (random: () => number) => (n: number) => Math.floor(random() * n)
const users = ['amy', 'bob', 'cat', 'dan']
const rooms = ['room-one1', 'room-two2', 'room-three']

for (const withdrawing of [false, true]) {
  const seeds = Array.from({ length: Number(process.env.SEEDS ?? 2) }, (_, index) => Number(process.env.SEED ?? 1) + index)
  it.each(seeds)(`${withdrawing ? 'with' : 'without'} what takes away, seed %i`, async seed => {
    on = await startApp({ wrapStore: everyOtherFromTheLog })
    const r = below(randomsOf(seed))
    const chance = below(randomsOf(seed * 31))
    const pick = <T>(of: readonly T[]): T => of[r(of.length)]!
    on.app.server.on('connection', (socket: Socket) => {
      if (!behind) return
      Object.defineProperty(socket, 'writableLength', {
        get (this: Socket) {
          const real = (this as any)._writableState.length as number
          if (chance(6) !== 0) return real
          return 1e9
        }
      })
    })
    const headers: Record<string, Record<string, string>> = {}
    for (const user of users) headers[user] = await on.user(user)
    const messages: Array<{ id: string, room: string }> = [{ id: 'none-none', room: 'room-one1' }]
    const appliedFor = (room: string, kind: 'message' | 'channel') => {
      const entries = kind === 'message'
        ? [`read_message:user(${pick(users)})`, `read_message:participant(${room})`, `read_message:participant(${room}:ReadOnly)`, `read_message:admin(${room})`]
        : [`read_from_channel:user(${pick(users)})`, `read_from_channel:participant(${room})`, `read_from_channel:participant(${room}:Active)`, 'read_from_channel:any_user()', `read_from_channel:participant(${room}:Disabled)`]
      return { plusAppliedAcls: [...new Set(Array.from({ length: r(3) }, () => pick(entries)))], minusAppliedAcls: withdrawing ? [...new Set(Array.from({ length: r(2) }, () => pick(entries)))] : [] }
    }
    for (const room of rooms) await on.store.append(createChannel('amy', room, { groupType: 'public', participants: [{ userId: 'bob', status: 'active', roles: [] } as never] }))
    const one = (): Command => {
      const [room, user] = [pick(rooms), pick(users)]
      const what = r(100)
      if (what < 15) return join(user, room)
      if (what < 60 || messages.length === 1) {
        const command = send(SYSTEM, room, `text ${r(1000)}`, r(4) === 0 ? { acls: parseLists(appliedFor(room, 'message'), { kind: 'message', channelId: room } as never) } as never : {})
        messages.push({ id: command.messageId, room })
        return command
      }
      const { id, room: its } = pick(messages.slice(-6))
      if (what < 70) return { type: 'edit-message', actor: SYSTEM, channelId: its, messageId: id, textPayload: `edited ${r(1000)}` }
      if (what < 76) return { type: 'add-message-event', actor: SYSTEM, channelId: its, messageIds: [id], event: { type: 'mitter.mtet.ReadTime', eventTimeMs: 5, subject: user } }
      if (what < 80) return { type: 'add-channel-event', actor: SYSTEM, channelId: room, event: { type: 'custom.type', eventTimeMs: 7, subject: user } }
      if (!withdrawing) return createChannel('amy', `room-more${r(30)}`, { participants: [{ userId: pick(['bob', 'cat', 'dan']), status: 'active', roles: [] } as never] })
      if (what < 84) return { type: 'delete-messages', actor: SYSTEM, channelId: its, messageIds: [id] }
      if (what < 88) return leave(user, room)
      if (what < 91) return { type: 'change-participant', actor: SYSTEM, channelId: room, userId: user, newStatus: pick(['Active', 'ReadOnly', 'Disabled']) }
      if (what < 93) return { type: 'truncate-channel', actor: SYSTEM, channelId: room }
      if (what < 94) return { type: 'delete-channel', actor: SYSTEM, channelId: room }
      if (what < 95) return createChannel('amy', room, { groupType: 'public' })
      if (what < 98) return { type: 'change-acls', actor: SYSTEM, of: { kind: 'channel', channelId: room } as never, patch: { patchType: 'Set', setAcls: appliedFor(room, 'channel') } as never }
      return { type: 'change-acls', actor: SYSTEM, of: { kind: 'message', messageId: id } as never, patch: { patchType: 'Set', setAcls: appliedFor(its, 'message') } as never }
    }
    const append = async (command: Command) => {
      try {
        await on.store.append(command)
      } catch (err) {
        if (!('refusal' in (err as object))) throw err
      }
    }
    const interests = [
      ['/v1/events', on.application] as const, ...users.map(user => ['/v1/users/me/events', headers[user]!] as const),
      ...rooms.flatMap(room => [[`/v1/channels/${room}/events`, on.application] as const, ...['amy', 'bob'].map(user => [`/v1/channels/${room}/events`, headers[user]!] as const)])
    ]
    const { cursor } = await on.store.head()
    const pairs: Array<{ path: string, as: Record<string, string>, steady: Reader, weak: Reader[] }> = []
    for (const [path, as] of interests) {
      behind = false
      const steady = await openReader(`${on.url}${path}?after=${cursor}`, as)
      behind = true
      const weak = [await openReader(`${on.url}${path}?after=${cursor}`, as), await openReader(`${on.url}${path}?after=${cursor}`, as)]
      behind = false
      await steady.until('caught-up')
      pairs.push({ path, as, steady, weak })
    }
    for (let n = 0; n < 60; n++) await Promise.all(Array.from({ length: 1 + r(9) }, () => append(one())))
    // Everybody is told of this, or has ended.
    await on.store.append(createChannel(SYSTEM, 'room-sentinel', { participants: users.map(userId => ({ userId, status: 'active', roles: [] }) as never) }))
    for (const room of rooms) await append({ type: 'add-channel-event', actor: SYSTEM, channelId: room, event: { type: 'custom.last', eventTimeMs: 9, subject: 'amy' } })
    await new Promise(resolve => setTimeout(resolve, 400))
    const of = (reader: Reader) => reader.frames.filter(isEntry).map(({ id, event, json }) => JSON.stringify({ id, event, json }))
    for (const { path, as, steady, weak } of pairs) {
      const log = await openReader(`${on.url}${path}?after=${cursor}`, as)
      const replay = log.status === 200 ? (await log.until(({ event }) => event === 'caught-up' || event === 'bye'), log.frames.filter(isEntry).map(({ id }) => id)) : []
      log.close()
      for (const one of weak) {
        const [got, wanted] = [of(one), of(steady)]
        const ids = one.frames.filter(isEntry).map(({ id }) => id!)
        expect(new Set(ids).size, `${path} doubles`).toBe(ids.length)
        const rising = ids.map(id => parseInt(id.split('-')[1]!, 36))
        expect(rising, `${path} order`).toEqual([...rising].sort((a, b) => a - b))
        // Who has lost a right while it was behind, and has it again, goes on.
        if (withdrawing && path.includes('/channels/') && as !== on.application) continue
        expect(one.frames.at(-1)!.event === 'bye' ? one.frames.at(-1)!.json.reason : '', `${path} bye`).toBe(steady.frames.at(-1)!.event === 'bye' ? steady.frames.at(-1)!.json.reason : '')
        if (!withdrawing) expect(got, path).toEqual(wanted)
        else {
          const order = wanted.filter(frame => got.includes(frame))
          if (JSON.stringify(order) !== JSON.stringify(got)) expect(got, `${path}: more than the steady one`).toEqual(order)
          const missing = as !== on.application ? [] : replay.filter(id => !ids.includes(id!) && steady.frames.some(frame => frame.id === id))
          expect(missing, `${path}: what the log has and it was not told`).toEqual([])
        }
        one.close()
      }
      steady.close()
    }
  }, 60_000)
}
