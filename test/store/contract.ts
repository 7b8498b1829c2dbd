/** What every store keeps (src/store/contract). Called once for each implementation. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { SYSTEM, type Command } from '../../src/store/contract/commands.ts'
import type { Ahead, Entry, Place } from '../../src/store/contract/log.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { Upkeep } from '../../src/store/upkeep.ts'
import { formatCursor, parseCursor } from '../../src/store/core/cursor.ts'
import { createChannel, createUser, earliest, gists, join, leave, readAll, send } from '../support/commands.ts'

export interface StoreUnderTest {
  store: Store
  /** Closes the store and opens it again on what it has kept. */
  reopen (options?: { retentionMs?: number }): Promise<Store>
  /** All that the database has, and what is wrong with it. */
  state? (): Promise<{ rows: unknown, faults: unknown[] }>
  dispose (): Promise<void>
}

export function storeContract (name: string, open: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let under: StoreUnderTest
    let store: Store
    let serial = 0
    let [alice, bob, carol, room] = ['', '', '', '']

    beforeAll(async () => { under = await open() })
    afterAll(() => under.dispose())
    beforeEach(async () => {
      store = under.store
      serial++
      ;[alice, bob, carol, room] = [`alice${serial}`, `bob${serial}`, `carol${serial}`, `room-${serial}-0000`]
      await Promise.all([alice, bob, carol].map(user => store.append(createUser(user))))
      await store.append(createChannel(alice, room))
    })

    const text = async (actor: string): Promise<string[]> => {
      const { value } = await store.listMessages(actor, room, { limit: 200, offset: 0 })
      return value.items.map(item => (JSON.parse(item) as { textPayload: string }).textPayload).reverse()
    }

    describe('append', () => {
      it('numbers entries in the order of commits, without holes', async () => {
        const before = await store.head()
        const seen: Entry[] = []
        const end = store.onCommitted(entries => seen.push(...entries))
        await Promise.all(Array.from({ length: 300 }, (_, index) => store.append(send(alice, room, `${index}`))))
        end()
        expect(seen.map(entry => entry.position)).toEqual(Array.from({ length: 300 }, (_, index) => before.position + 1 + index))
        expect(gists(seen)).toEqual(Array.from({ length: 300 }, (_, index) => `message ${index}`))
      })

      it('hands entries over before it answers', async () => {
        const seen: Entry[] = []
        const end = store.onCommitted(entries => seen.push(...entries))
        const { cursor } = await store.append(send(alice, room, 'hello'))
        end()
        expect(seen.map(entry => entry.cursor)).toEqual([cursor])
      })

      it('refuses one command of a batch without touching its neighbours', async () => {
        const results = await Promise.allSettled([
          store.append(send(alice, room, 'one')), store.append(send(bob, room, 'two')), store.append(send(alice, room, 'three'))
        ])
        expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
        expect(results[1]).toMatchObject({ reason: { reason: 'user_not_in_group', status: 403 } })
        expect(await text(alice)).toEqual(['one', 'three'])
      })

      it('decides with what the commands before it in the same batch have made', async () => {
        const [, sent] = await Promise.all([store.append(join(bob, room)), store.append(send(bob, room, 'in already'))])
        expect(sent.recipientsCount).toBe(2)
      })

      it('lets one of two parallel creates win', async () => {
        const results = await Promise.allSettled([bob, carol].map(user => store.append(createChannel(user, `twice-${serial}`))))
        expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
      })

      it('takes 50 parallel joins as 50 members', async () => {
        const users = Array.from({ length: 50 }, (_, index) => `j${serial}-${index}`)
        await Promise.all(users.map(user => store.append(createUser(user))))
        await Promise.all(users.map(user => store.append(join(user, room))))
        const { value } = await store.listParticipants(alice, room, ['active'], { limit: 1_000 })
        expect(value.items.map(({ participantId }) => participantId.identifier)).toEqual([alice, ...users])
      })

      it('deletes several messages all or none', async () => {
        await store.append(send(alice, room, 'mine', { messageId: `mine-${serial}-00` }))
        const attempt = store.append({ type: 'delete-messages', actor: alice, channelId: room, messageIds: [`mine-${serial}-00`, 'is-not-there'] })
        await expect(attempt).rejects.toMatchObject({ code: 'entity_not_found' })
        expect(await text(alice)).toEqual(['mine'])
      })
    })

    describe('identifiers', () => {
      it('never gives a deleted message\'s id again', async () => {
        const messageId = `gone-${serial}-00`
        await store.append(send(alice, room, 'x', { messageId }))
        await store.append({ type: 'delete-messages', actor: alice, channelId: room, messageIds: [messageId] })
        await expect(store.append(send(alice, room, 'y', { messageId }))).rejects.toMatchObject({ code: 'duplicate_entity' })
      })

      it('never gives a deleted user\'s id again', async () => {
        await store.append({ type: 'delete-user', actor: SYSTEM, userId: bob })
        await expect(store.append(createUser(bob))).rejects.toMatchObject({ code: 'duplicate_entity' })
      })

      it('gives a deleted channel\'s id again, to another channel', async () => {
        await store.append(send(alice, room, 'old'))
        await store.append({ type: 'delete-channel', actor: SYSTEM, channelId: room })
        await store.append(createChannel(alice, room))
        expect(await text(alice)).toEqual([])
        expect(gists(await readAll(store, { of: 'user', userId: alice })).at(-1)).toBe('channel')
      })
    })

    describe('a nonce', () => {
      const signed = (nonce: string) => ({ nonce: `${nonce}-${serial}` })
      const used = { refusal: 'claimRejected', message: expect.stringContaining('This Nonce was used') }

      it('is good for one command, of several at once too', async () => {
        const results = await Promise.allSettled(['one', 'two', 'three'].map(what => store.append(send(alice, room, what, signed('n')))))
        expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
        await expect(store.append(send(alice, room, 'four', signed('n')))).rejects.toMatchObject(used)
        await expect(store.append({ type: 'take-nonce', actor: SYSTEM, ...signed('n') })).rejects.toMatchObject(used)
        expect(await text(alice)).toEqual(['one'])
      })

      it('is used up by a command that is refused, which leaves nothing else; before anything else is said', async () => {
        const { position } = await store.head()
        await expect(store.append(send(bob, room, 'no member', signed('n')))).rejects.toMatchObject({ refusal: 'actorNotInGroup' })
        await expect(store.append(send(bob, room, 'no member', signed('n')))).rejects.toMatchObject(used)
        await expect(store.append(send('nobody-there', 'no-such-room', 'no user', signed('n')))).rejects.toMatchObject(used)
        expect((await store.head()).position).toBe(position)
      })

      it('is used up after a restart too', async () => {
        await store.append(send(alice, room, 'one', signed('n')))
        await store.append({ type: 'take-nonce', actor: SYSTEM, ...signed('m') })
        store = await under.reopen()
        for (const nonce of ['n', 'm']) await expect(store.append(send(alice, room, 'two', signed(nonce)))).rejects.toMatchObject(used)
      })

      it('is another one on a repeat, which is answered like the first', async () => {
        const once = { idempotency: { key: `signed-${serial}-00`, fingerprint: 'same' } }
        const first = await store.append(send(alice, room, 'once', { ...once, ...signed('n') }))
        await expect(store.append(send(alice, room, 'once', { ...once, ...signed('n') }))).rejects.toMatchObject(used)
        expect(await store.append(send(alice, room, 'once', { ...once, ...signed('m') }))).toEqual(first)
        await expect(store.append(send(alice, room, 'once', { ...once, ...signed('m') }))).rejects.toMatchObject(used)
        expect(await text(alice)).toEqual(['once'])
      })
    })

    describe('idempotency', () => {
      const once = (key: string, fingerprint = 'same') => ({ idempotency: { key: `${key}-${serial}-00`, fingerprint } })

      it('answers a repeat what the first one answered, and stores nothing', async () => {
        const first = await store.append(send(alice, room, 'once', once('k')))
        const again = await store.append(send(alice, room, 'once', once('k')))
        expect(again).toEqual(first)
        expect(await text(alice)).toEqual(['once'])
      })

      it('holds within one batch too', async () => {
        const [first, again] = await Promise.all([store.append(send(alice, room, 'once', once('k'))), store.append(send(alice, room, 'once', once('k')))])
        expect(again).toEqual(first)
      })

      it('holds after a restart, and after the sender has left', async () => {
        const first = await store.append(send(alice, room, 'once', once('k')))
        await store.append(leave(alice, room))
        store = await under.reopen()
        expect(await store.append(send(alice, room, 'once', once('k')))).toEqual(first)
      })

      it('refuses another request under the same key', async () => {
        await store.append(send(alice, room, 'once', once('k')))
        await expect(store.append(send(alice, room, 'other', once('k', 'other')))).rejects.toMatchObject({ status: 422 })
      })

      it('keeps only successes: a refused request may be tried again', async () => {
        await expect(store.append(send(bob, room, 'early', once('k')))).rejects.toMatchObject({ status: 403 })
        await store.append(join(bob, room))
        expect((await store.append(send(bob, room, 'early', once('k')))).recipientsCount).toBe(2)
      })

      it('does not bring deleted content back', async () => {
        const messageId = `idem-${serial}-00`
        await store.append(send(alice, room, 'secret', { messageId, ...once('k') }))
        await store.append({ type: 'delete-messages', actor: alice, channelId: room, messageIds: [messageId] })
        const again = await store.append(send(alice, room, 'secret', { messageId, ...once('k') }))
        expect(again.message).toContain(messageId)
        expect(again.message).not.toContain('secret')
      })

      it('tells callers apart', async () => {
        await store.append(join(bob, room))
        await store.append(send(alice, room, 'hers', once('k')))
        await store.append(send(bob, room, 'his', once('k')))
        expect(await text(alice)).toEqual(['hers', 'his'])
      })
    })

    describe('read', () => {
      it('gives the same entries whatever the size of its pages', async () => {
        await store.append(createChannel(bob, `other-${serial}`))
        await store.append(join(alice, `other-${serial}`))
        for (let index = 0; index < 20; index++) await store.append(send(alice, index % 3 === 0 ? room : `other-${serial}`, `${index}`))
        const whole = await readAll(store, { of: 'user', userId: alice })
        expect(whole.length).toBe(22)
        for (const limit of [1, 2, 3, 7]) expect(await readAll(store, { of: 'user', userId: alice }, undefined, limit)).toEqual(whole)
      })

      it('gives nothing of before a join, or of between leaving and joining again', async () => {
        await store.append(send(alice, room, 'before'))
        await store.append(join(bob, room))
        await store.append(send(alice, room, 'during'))
        await store.append(leave(bob, room))
        await store.append(send(alice, room, 'away'))
        await store.append(join(bob, room))
        await store.append(send(alice, room, 'again'))
        expect(gists(await readAll(store, { of: 'user', userId: bob }))).toEqual([
          `participation ${bob}`, 'message during', `participation-deleted ${bob}`, `participation ${bob}`, 'message again'
        ])
      })

      it('gives one who has left nothing but what concerns itself', async () => {
        await store.append(join(bob, room))
        await store.append(send(alice, room, 'then'))
        await store.append(leave(bob, room))
        expect(gists(await readAll(store, { of: 'user', userId: bob }))).toEqual([`participation ${bob}`, `participation-deleted ${bob}`])
      })

      it('gives a pending member only its own entries, and the channel\'s end', async () => {
        const closed = `closed-${serial}`
        await store.append(createChannel(alice, closed, { groupType: 'private' }))
        await store.append(join(bob, closed))
        await store.append(send(alice, closed, 'not for bob'))
        await store.append({ type: 'delete-channel', actor: SYSTEM, channelId: closed })
        expect(gists(await readAll(store, { of: 'user', userId: bob }))).toEqual([`participation ${bob}`, 'channel-deleted'])
      })

      it('gives every participant of a new channel its one entry', async () => {
        const made = `made-${serial}`
        await store.append(createChannel(SYSTEM, made, {
          participants: [{ userId: bob, status: 'active', roles: [] }, { userId: carol, status: 'disabled', roles: [] }]
        }))
        for (const user of [bob, carol]) expect(gists(await readAll(store, { of: 'user', userId: user }))).toEqual(['channel'])
      })

      it('says the rights at the very place up to which it has read', async () => {
        await store.append(join(bob, room))
        const { rights, through } = await store.read({ of: 'user', userId: bob }, await earliest(store), 500)
        expect(rights?.channels.map(({ status }) => status)).toEqual(['active'])
        expect(through).toEqual(await store.head())
      })

      it('holds a page of large messages to about 256 KiB', async () => {
        for (let index = 0; index < 12; index++) await store.append(send(alice, room, 'x'.repeat(60_000)))
        const page = await store.read({ of: 'user', userId: alice }, await earliest(store), 500)
        expect(page.entries.length).toBeLessThan(8)
        expect(gists(await readAll(store, { of: 'user', userId: alice })).length).toBe(13)
      })
    })

    describe('tail', () => {
      /** Appends a command and compares what was handed over with what a node that only reads the log finds. */
      const same = async (command: Command): Promise<Entry[]> => {
        const before = await store.head()
        const handed: Entry[] = []
        const end = store.onCommitted(entries => handed.push(...entries))
        await store.append(command)
        end()
        const { entries, head, gap } = await store.tail(before, 500)
        // Its own, a node is told of with what they follow on.
        expect(entries).toEqual(handed.map(({ follows, ...entry }) => entry))
        expect(handed.every(({ position, follows }) => follows === undefined || follows === [before, ...entries][position - before.position - 1]!.cursor)).toBe(true)
        expect(handed[0]?.follows).toBe(entries[0] && before.cursor)
        expect([head, gap]).toEqual([await store.head(), undefined])
        return entries
      }

      it('tells of everything that was committed as the node that wrote it has told its own', async () => {
        const [closed, messageId] = [`tail-${serial}-00`, `tail-${serial}-01`]
        const [created] = await same(createChannel(SYSTEM, closed, {
          groupType: 'strict_private',
          participants: [{ userId: bob, status: 'muted', roles: [] }, { userId: carol, status: 'active', roles: ['admin'] }],
          timelineEvents: [{ type: 'began', eventTimeMs: 1, subject: bob }]
        }))
        expect(created!.members).toEqual([{ userId: bob, status: 'muted', admin: false }, { userId: carol, status: 'active', admin: true }])
        await same(join(alice, closed))
        await same({ type: 'moderate-participant', operation: 'accept', actor: carol, channelId: closed, userId: alice })
        await same({ type: 'change-participant', actor: SYSTEM, channelId: closed, userId: carol, newStatus: 'Disabled' })
        await same(send(alice, closed, 'hello', { messageId, timelineEvents: [{ type: 'seen', eventTimeMs: 1, subject: alice }] }))
        await same({ type: 'edit-message', actor: alice, channelId: closed, messageId, textPayload: 'hello again' })
        await same({ type: 'add-message-event', actor: bob, channelId: closed, messageIds: [messageId], event: { type: 'mitter.mtet.ReadTime', eventTimeMs: 2, subject: bob } })
        await same({ type: 'add-channel-event', actor: SYSTEM, channelId: closed, event: { type: 'x', eventTimeMs: 2, subject: SYSTEM } })
        await same({ type: 'issue-token', actor: SYSTEM, userId: bob, tokenId: `t-${serial}` })
        expect(await same({ type: 'revoke-tokens', actor: bob, userId: bob, tokenIds: [`t-${serial}`] })).toMatchObject([{ kind: 'token-revoked', tokenId: `t-${serial}` }])
        await same({ type: 'delete-messages', actor: alice, channelId: closed, messageIds: [messageId] })
        const gone = await same({ type: 'delete-user', actor: SYSTEM, userId: alice })
        expect(gone.map(({ kind }) => kind)).toEqual(['user-deleted', 'participation-deleted', 'participation-deleted'])
        await same({ type: 'truncate-channel', actor: SYSTEM, channelId: closed })
        await same(leave(carol, closed))
        await same({ type: 'delete-channel', actor: SYSTEM, channelId: closed })
      })

      it('has no holes, whatever the size of its pieces', async () => {
        const before = await store.head()
        await Promise.all(Array.from({ length: 30 }, (_, index) => store.append(send(alice, room, `${index}`))))
        const entries: Entry[] = []
        for (let from = before; ;) {
          const piece = await store.tail(from, 7)
          if (piece.entries.length === 0) break
          entries.push(...piece.entries)
          from = piece.entries.at(-1)!
        }
        expect(entries.map(entry => entry.position)).toEqual(Array.from({ length: 30 }, (_, index) => before.position + 1 + index))
      })
    })

    describe('a place that is none of this log', () => {
      const unknown = async (place: Place): Promise<void> => {
        const head = await store.head()
        expect(await store.tail(place, 500)).toEqual({ entries: [], head, gap: 'unknown' })
        for (const interest of [{ of: 'application' }, { of: 'user', userId: alice }] as const) {
          expect(await store.read(interest, place, 500)).toEqual({ entries: [], through: head, head, gap: 'unknown' })
        }
        expect(await store.openStream({ of: 'application' }, { from: 'cursor', cursor: place.cursor })).toEqual({ interest: { of: 'application' }, place: head, gap: 'unknown' })
      }
      const parts = ({ cursor }: Place) => parseCursor(cursor)!

      it('is one beyond the head', async () => {
        const head = await store.head()
        await unknown({ position: head.position + 1, cursor: formatCursor(parts(head).epoch, head.position + 1, 1) })
      })

      it('is one at which this log has another entry', async () => {
        const before = await store.head()
        await store.append(send(alice, room, 'one'))
        for (const { position, cursor } of [before, await store.head()]) {
          const { epoch, tag } = parseCursor(cursor)!
          await unknown({ position, cursor: formatCursor(epoch, position, tag ^ 1) })
        }
      })

      it('is one of another epoch', async () => {
        const { position, cursor } = await store.head()
        await unknown({ position, cursor: formatCursor('another00000', position, parseCursor(cursor)!.tag) })
      })

      it('is no place up to which channels were looked for: they are looked for anew', async () => {
        const start = await store.head()
        for (const text of ['one', 'two', 'three']) await store.append(send(alice, room, text))
        const { through, ahead } = await store.read({ of: 'user', userId: alice }, start, 1)
        const { head } = ahead as Ahead & { head: Place }
        const lost = { ...ahead!, channels: [], head: { ...head, cursor: formatCursor(parts(head).epoch, head.position, parts(head).tag ^ 1) } }
        expect(gists((await store.read({ of: 'user', userId: alice }, through, 500, lost)).entries)).toEqual(['message two', 'message three'])
      })
    })

    describe('deletion', () => {
      const messageId = () => `erase-${serial}-00`

      it('takes the content out of the history, its edits and every replay', async () => {
        await store.append(send(alice, room, 'first', { messageId: messageId() }))
        for (const textPayload of ['second', 'third']) {
          await store.append({ type: 'edit-message', actor: alice, channelId: room, messageId: messageId(), textPayload })
        }
        expect(gists(await readAll(store, { of: 'user', userId: alice })).slice(1)).toEqual(['message first', 'message-updated second', 'message-updated third'])
        expect(await text(alice)).toEqual(['third'])
        await store.append({ type: 'delete-messages', actor: alice, channelId: room, messageIds: [messageId()] })
        expect(gists(await readAll(store, { of: 'user', userId: alice })).slice(1)).toEqual([`message-deleted ${messageId()}`])
        expect(gists(await readAll(store, { of: 'application' })).filter(gist => /first|second|third/.test(gist))).toEqual([])
        expect(await text(alice)).toEqual([])
      })

      it('truncates at once, for lists, counts and replays, before and after the rows have gone', async () => {
        for (const text of ['one', 'two']) await store.append(send(alice, room, text))
        await store.append({ type: 'truncate-channel', actor: SYSTEM, channelId: room })
        await store.append(send(alice, room, 'three'))
        for (let pass = 0; pass < 2; pass++) {
          const { value } = await store.listMessages(alice, room, { limit: 45, offset: 0 })
          expect([value.items.length, value.total]).toEqual([1, 1])
          expect(gists(await readAll(store, { of: 'user', userId: alice })).slice(1)).toEqual(['messages-truncated', 'message three'])
          await store.settle()
        }
      })

      it('of a user leaves messages under .deleted, the id nowhere in them', async () => {
        await store.append(join(bob, room))
        await store.append(send(bob, room, 'by bob'))
        await store.append({ type: 'delete-user', actor: SYSTEM, userId: bob })
        const { value } = await store.listMessages(alice, room, { limit: 45, offset: 0 })
        expect(value.items[0]).toContain('"senderId":{"identifier":".deleted"}')
        expect(value.items[0]).not.toContain(bob)
        const { value: participants } = await store.listParticipants(alice, room, ['active'], { limit: 1_000 })
        expect(participants.items.map(({ participantId }) => participantId.identifier)).toEqual([alice])
      })

      it('of a channel\'s last active admin makes the one who has been active longest admin', async () => {
        await store.append(join(bob, room))
        await store.append(join(carol, room))
        await store.append({ type: 'delete-user', actor: SYSTEM, userId: alice })
        const { value } = await store.listParticipants(SYSTEM, room, ['active'], { limit: 1_000 })
        expect(value.items.map(({ participantId, roles }) => [participantId.identifier, roles])).toEqual([[bob, ['admin']], [carol, []]])
        expect(gists(await readAll(store, { of: 'user', userId: carol })).slice(-2)).toEqual([`participation-deleted ${alice}`, `participation ${bob}`])
      })

      it('of a user in more channels than one transaction leaves goes on in the background, after a restart too', async () => {
        const rooms = Array.from({ length: 450 }, (_, index) => `many-${serial}-${index}`)
        await Promise.all(rooms.map(room => store.append(createChannel(SYSTEM, room, { participants: [{ userId: bob, status: 'active', roles: [] }] }))))
        const ended = store.append({ type: 'delete-user', actor: SYSTEM, userId: bob })
        store = await under.reopen()
        await ended
        await store.settle()
        const members = await Promise.all(rooms.map(room => store.listParticipants(SYSTEM, room, ['active'], { limit: 1_000 })))
        expect(members.flatMap(({ value }) => value.items)).toEqual([])
      })
    })

    it('has no stream and no channels of the application as of a user', async () => {
      await expect(store.openStream({ of: 'user', userId: SYSTEM }, { from: 'head' })).rejects.toMatchObject({ status: 404 })
      await expect(store.listChannelsOf(SYSTEM, SYSTEM, { limit: 45, offset: 0 }, { includeSystemChannels: true })).rejects.toMatchObject({ status: 404 })
    })

    describe('cursors', () => {
      const open = (cursor: string) => store.openStream({ of: 'user', userId: alice }, { from: 'cursor', cursor })

      it('name the place that they were given for, also after a restart', async () => {
        const { cursor } = await store.append(send(alice, room, 'here'))
        await store.append(send(alice, room, 'there'))
        store = await under.reopen()
        const { place, gap } = await open(cursor)
        expect(gap).toBeUndefined()
        expect(gists(await readAll(store, { of: 'user', userId: alice }, place))).toEqual(['message there'])
      })

      it.each(['', 'garbage', 'x'.repeat(10_000), 'abcdefghijkl-1-1', 'é', '0-0-0'])('that are none of ours are a gap: %.20s', async cursor => {
        expect(await open(cursor)).toMatchObject({ gap: 'unknown', place: await store.head() })
      })

      it('of another history are a gap: another tag, or a place not reached yet', async () => {
        const { cursor } = await store.append(send(alice, room, 'here'))
        const [epoch, position] = cursor.split('-')
        expect(await open(`${epoch}-${position}-zzzzz`)).toMatchObject({ gap: 'unknown' })
        expect(await open(`${epoch}-zzzzzz-1`)).toMatchObject({ gap: 'unknown' })
      })

      it('from before a channel was made are a gap on its stream', async () => {
        const { cursor } = await store.append(send(alice, room, 'here'))
        await store.append({ type: 'delete-channel', actor: SYSTEM, channelId: room })
        await store.append(createChannel(alice, room))
        const request = { of: 'channel', channelId: room, actor: alice } as const
        expect(await store.openStream(request, { from: 'cursor', cursor })).toMatchObject({ gap: 'unknown' })
        expect(await store.openStream(request, { from: 'earliest' })).not.toHaveProperty('gap')
      })

      it('with a snapshot go on exactly from what was read', async () => {
        await store.append(send(alice, room, 'in the list'))
        const [list] = await Promise.all([store.listMessages(alice, room, { limit: 45, offset: 0 }), store.append(send(alice, room, 'on the stream'))])
        const { place } = await open(list.cursor)
        const listed = list.value.items.map(item => (JSON.parse(item) as { textPayload: string }).textPayload)
        const streamed = gists(await readAll(store, { of: 'user', userId: alice }, place))
        expect([...listed.reverse().map(text => `message ${text}`), ...streamed]).toEqual(['message in the list', 'message on the stream'])
      })
    })

    describe('retention', () => {
      it('removes what is older in the background, keeps messages for GET, and says that a cursor has expired', async () => {
        const beginning = await earliest(store)
        const { cursor } = await store.append(send(alice, room, 'kept', { messageId: `kept-${serial}-00` }))
        await store.append({ type: 'edit-message', actor: alice, channelId: room, messageId: `kept-${serial}-00`, textPayload: 'kept, edited' })
        await store.append(join(bob, room))
        const { cursor: last } = await store.append(send(alice, room, 'the last'))
        store = await under.reopen({ retentionMs: 0 })
        await store.settle()
        expect(await store.openStream({ of: 'user', userId: alice }, { from: 'cursor', cursor })).toMatchObject({ gap: 'expired' })
        expect(await store.openStream({ of: 'user', userId: alice }, { from: 'cursor', cursor: last })).not.toHaveProperty('gap')
        expect((await store.head()).cursor).toBe(last)
        const { place } = await store.openStream({ of: 'user', userId: alice }, { from: 'earliest' })
        expect(await readAll(store, { of: 'user', userId: alice }, place)).toEqual([])
        expect(await text(alice)).toEqual(['kept, edited', 'the last'])
        expect(await store.tail(beginning, 500)).toMatchObject({ entries: [], head: { cursor: last }, gap: 'expired' })
        expect(await store.read({ of: 'user', userId: alice }, beginning, 500)).toMatchObject({ entries: [], through: { cursor: last }, gap: 'expired' })
        store = await under.reopen()
        await store.append(send(alice, room, 'after it'))
        expect(gists(await readAll(store, { of: 'user', userId: bob }, place))).toEqual(['message after it'])
      })
    })

    describe('background work', () => {
      const chores: Parameters<Upkeep['carryOut']>[0] = []
      const { carryOut } = Upkeep.prototype
      beforeEach(() => {
        chores.length = 0
        // As where two nodes have found the same.
        Upkeep.prototype.carryOut = async function (due) {
          chores.push(...due)
          await carryOut.call(this, due)
          await carryOut.call(this, due.toReversed())
        }
      })
      afterEach(() => { Upkeep.prototype.carryOut = carryOut })

      /** All that was carried out, once more: late, together, and one by one the other way round. */
      const again = async (): Promise<void> => {
        const carryOutLate = (due: typeof chores) => Promise.all(due.map(chore => store.append(chore as Command).catch(err => { if (!(err.status < 500)) throw err })))
        await carryOutLate(chores)
        for (const chore of chores.toReversed()) await carryOutLate([chore])
      }
      const settled = async (kinds: string[]): Promise<void> => {
        await store.settle()
        expect([...new Set(chores.map(({ type }) => type))].sort()).toEqual(kinds.toSorted())
        const before = await under.state?.()
        expect(before?.faults ?? []).toEqual([])
        await again()
        expect(await under.state?.()).toEqual(before)
      }
      const totalOf = async (userId: string) => (await store.listChannelsOf(SYSTEM, userId, { limit: 200, offset: 0 }, { includeSystemChannels: false })).value

      it('comes to the same where it is carried out twice, late, and in whatever order', async () => {
        const many = Array.from({ length: 230 }, (_, index) => `m${serial}-${index}`)
        await Promise.all(many.map(userId => store.append(createUser(userId))))
        const participants = [alice, bob, ...many].map(userId => ({ userId, status: 'active' as const, roles: [] }))
        const [closed, left, kept] = ['closed', 'left', 'kept'].map(name => `${name}-${serial}`) as [string, string, string]
        await store.append(createChannel(SYSTEM, closed, { participants }))
        for (const channel of [left, kept]) await store.append(createChannel(alice, channel, { participants: [{ userId: bob, status: 'active', roles: [] }] }))
        await Promise.all(Array.from({ length: 230 }, (_, index) => store.append(send(alice, closed, `${index}`))))
        for (let index = 0; index < 5; index++) {
          const messageId = `of-chores-${serial}-${index}`
          await store.append(send(alice, kept, 'text', { messageId, timelineEvents: [{ type: 'seen', eventTimeMs: 1, subject: alice }] }))
          await store.append({ type: 'edit-message', actor: alice, channelId: kept, messageId, textPayload: 'other' })
          await store.append({ type: 'add-message-event', actor: bob, channelId: kept, messageIds: [messageId], event: { type: 'x', eventTimeMs: 2, subject: bob } })
        }
        await store.append({ type: 'delete-channel', actor: SYSTEM, channelId: closed })
        await store.append({ type: 'truncate-channel', actor: SYSTEM, channelId: kept })
        await store.append(send(alice, kept, 'after it'))
        await store.append({ type: 'delete-user', actor: SYSTEM, userId: bob })
        await settled(['close-members', 'erase-messages', 'erase-remains', 'finish-leaving', 'remove-participant'])
        for (const [userId, channels] of [[alice, 3], [many[0]!, 0]] as const) expect(await totalOf(userId)).toMatchObject({ total: channels, items: Array(channels).fill(expect.anything()) })
      })

      it('by age, too, and after others have gone on', async () => {
        await store.append(send(alice, room, 'kept'))
        await store.append(join(bob, room))
        await store.append(leave(bob, room))
        const gone = `gone-${serial}`
        await store.append(createChannel(alice, gone))
        await store.append(send(alice, gone, 'text'))
        await store.append({ type: 'delete-channel', actor: SYSTEM, channelId: gone })
        await store.settle()
        chores.length = 0
        store = await under.reopen({ retentionMs: 0 })
        await settled(['raise-floor', 'remove-channel', 'remove-entries', 'remove-intervals'])
        const older = chores.slice()
        await store.append(send(alice, room, 'later'))
        await store.append(createChannel(alice, gone))
        await store.settle()
        chores.push(...older)
        await settled(['raise-floor', 'remove-channel', 'remove-entries', 'remove-intervals'])
        expect(await text(alice)).toEqual(['kept', 'later'])
        expect((await totalOf(alice)).total).toBe(2)
        store = await under.reopen()
      })

      it('that was found in another log is left alone', async () => {
        await store.append(send(alice, room, 'kept'))
        const { position, cursor } = await store.head()
        const { tag } = parseCursor(cursor)!
        await store.append(send(alice, room, 'kept, too'))
        const before = await under.state?.()
        for (const foundAt of [{ position, tag: tag ^ 1 }, { position: position + 99, tag }]) {
          await store.append({ type: 'erase-remains', edits: [], events: [], messages: [position], foundAt } as never)
          await store.append({ type: 'raise-floor', floor: { position, tag: tag ^ 1 }, foundAt } as never)
          await store.append({ type: 'remove-entries', upTo: position, positions: [position], listChanges: [], foundAt } as never)
        }
        expect(await under.state?.()).toEqual(before)
        expect(await text(alice)).toEqual(['kept', 'kept, too'])
      })
    })

    describe('tokens', () => {
      const issue = (tokenId: string, parentId?: string) => store.append({
        type: 'issue-token', actor: SYSTEM, userId: alice, tokenId: `${tokenId}-${serial}`, ...(parentId === undefined ? {} : { parentId: `${parentId}-${serial}` })
      })
      const live = async (tokenId: string) => (await store.getToken(`${tokenId}-${serial}`))?.live

      it('are revoked with the one that made them, and not the other way', async () => {
        await issue('a')
        await issue('b', 'a')
        await issue('c', 'b')
        await store.append({ type: 'revoke-tokens', actor: SYSTEM, userId: alice, tokenIds: [`b-${serial}`] })
        expect([await live('a'), await live('b'), await live('c')]).toEqual([true, false, false])
      })

      it('end with their user', async () => {
        await issue('a')
        await store.append({ type: 'delete-user', actor: SYSTEM, userId: alice })
        expect(await live('a')).toBe(false)
      })

      it('of another user are not found', async () => {
        await issue('a')
        const attempt = store.append({ type: 'revoke-tokens', actor: bob, userId: bob, tokenIds: [`a-${serial}`] })
        await expect(attempt).rejects.toMatchObject({ status: 404 })
      })
    })
  })
}
