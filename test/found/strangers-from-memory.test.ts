/** A stranger who may read a channel since it was made hears the same of its beginning from memory as from the log. */
import { expect, it } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { parseLists } from '../../src/rules/access-entries.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { startApp } from '../support/app.ts'
import { createChannel, join, send } from '../support/commands.ts'
import { isEntry, openReader } from '../support/sse.ts'

it.each([
  ['read_from_channel:any_user()', [] as string[]],
  ['read_from_channel:user(dan)', []],
  ['read_from_channel:user(dan)', ['read_from_channel:user(amy)']],
  ['read_from_channel:user(dan)', ['read_from_channel:participant(room-listed)']]
])('%s %j', async (plus, minus) => {
  let fromLog = false
  const on = await startApp({
    wrapStore: (store: Store): Store => new Proxy(store, {
      get (target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        if (name !== 'rights') return member.bind(target)
        return async (...args: Parameters<Store['rights']>) => ({ ...await target.rights(...args), ...(fromLog ? { floor: Infinity } : {}) })
      }
    })
  })
  const as: Record<string, Record<string, string>> = { dan: await on.user('dan'), amy: await on.user('amy'), bob: await on.user('bob') }
  const acls = parseLists({ plusAppliedAcls: [plus], minusAppliedAcls: minus }, { kind: 'channel', channelId: 'room-listed' } as never)
  await on.store.append(createChannel(SYSTEM, 'room-listed', { acls: acls!, participants: [{ userId: 'bob', status: 'active', roles: [] } as never], timelineEvents: [{ type: 'com.example.begun', eventTimeMs: 5, subject: 'bob' } as never] }))
  await on.store.append(join('amy', 'room-listed'))
  await on.store.append(send(SYSTEM, 'room-listed', 'hello'))
  const told = async (path: string, user: string, log: boolean) => {
    fromLog = log
    const reader = await openReader(`${on.url}${path}?after=earliest`, as[user])
    if (reader.status !== 200) return reader.status
    await reader.until(({ event }) => event === 'caught-up' || event === 'bye')
    reader.close()
    return reader.frames.filter(isEntry).map(({ id, event, json }) => ({ id, event, json }))
  }
  try {
    for (const user of ['dan', 'amy', 'bob']) {
      for (const path of ['/v1/channels/room-listed/events', '/v1/users/me/events']) {
        expect(await told(path, user, false), `${user} ${path}`).toEqual(await told(path, user, true))
      }
    }
  } finally {
    await on.stop()
  }
})
