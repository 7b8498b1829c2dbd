/** What one node has answered holds on every other from that moment on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { randomFrom } from '../durability/conversation.ts'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'
import { Callers } from './calls.ts'
import { seed } from './campaign-suite.ts'
import { Cluster } from './cluster.ts'

export interface Sizes {
  repetitions: number
  starts: number
  limitMs: number
}

const GROUP = { defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', groupType: 'public' }

/** People of one channel. */
const CROWD = 50

export function atOnceSuite ({ repetitions, starts, limitMs }: Sizes): void {
  let postgres: PostgresServer
  let cluster: Cluster
  let callers: Callers
  beforeAll(async () => {
    postgres = await startPostgres()
    cluster = await Cluster.start({ postgres })
    callers = new Callers(cluster, randomFrom(seed))
  })
  afterAll(async () => {
    await cluster.stop()
    await postgres.stop()
  })

  const tokenOf = async (user: string): Promise<{ signedToken: string, tokenId: string }> => (await callers.make('POST', `/v1/users/${user}/tokens`)).userToken

  describe(`at once, everywhere (seed ${seed})`, { timeout: limitMs }, () => {
    it(`refuses on one node whom another has just muted (${repetitions} times)`, async () => {
      await callers.make('POST', '/v1/users', { userId: 'talker' })
      const { signedToken: token } = await tokenOf('talker')
      const channel = '/v1/channels/muted-now-and-then'
      await callers.make('POST', '/v1/channels', { channelId: 'muted-now-and-then', ...GROUP, groupType: 'strict_private', participation: [{ participantId: 'talker' }] })
      for (let count = 0; count < repetitions; count++) {
        const here = callers.anyNode()
        const there = callers.anyNode(here)
        const send = async (node: number) => await callers.ask({ token, method: 'POST', path: `${channel}/messages`, body: { textPayload: `${count}` }, node })
        expect(await send(there)).toMatchObject({ status: 200 })
        expect(await callers.ask({ method: 'POST', path: `${channel}/participants/talker/mute`, node: here })).toMatchObject({ status: 204 })
        expect(await send(there), `number ${count}`).toMatchObject({ status: 403, body: { reason: 'muted' } })
        expect(await callers.ask({ method: 'POST', path: `${channel}/participants/talker/unmute`, node: there })).toMatchObject({ status: 204 })
        expect(await send(here), `number ${count}`).toMatchObject({ status: 200 })
      }
    })

    it(`refuses on one node a token that another has just revoked (${repetitions} times)`, async () => {
      await callers.make('POST', '/v1/users', { userId: 'visitor' })
      for (let count = 0; count < repetitions; count++) {
        const here = callers.anyNode()
        const there = callers.anyNode(here)
        const { signedToken: token, tokenId } = await tokenOf('visitor')
        const read = async () => await callers.ask({ token, method: 'GET', path: '/v1/users/me', node: there })
        expect(await read()).toMatchObject({ status: 200 })
        expect(await callers.ask({ method: 'DELETE', path: `/v1/users/visitor/tokens/${tokenId}`, node: here })).toMatchObject({ status: 204 })
        expect(await read(), `number ${count}`).toMatchObject({ status: 401 })
      }
    })

    it(`makes ${CROWD} members of ${CROWD} who join at once over all nodes`, async () => {
      await callers.make('POST', '/v1/channels', { channelId: 'crowded-place', ...GROUP })
      const users = Array.from({ length: CROWD }, (_, index) => `one-of-many-${index}`)
      const tokens = await Promise.all(users.map(async userId => {
        await callers.make('POST', '/v1/users', { userId })
        return (await tokenOf(userId)).signedToken
      }))
      const joined = await Promise.all(users.map(async (participantId, index) =>
        await callers.ask({ token: tokens[index], method: 'POST', path: '/v1/channels/crowded-place/participants', body: { participantId }, node: index % 3 })))
      expect(joined.map(answer => answer?.status)).toEqual(users.map(() => 204))
      for (const { index: node } of cluster.nodes) {
        const list = await callers.ask({ method: 'GET', path: '/v1/channels/crowded-place/participants', node })
        expect(list?.body.map(({ participantId }: any) => participantId.identifier).sort()).toEqual(users.toSorted())
      }
    })

    it(`has one database when two nodes start on an empty one at once (${starts} times)`, async () => {
      for (let count = 0; count < starts; count++) {
        const two = await Cluster.start({ postgres, nodes: 2 })
        try {
          const both = new Callers(two, randomFrom(seed))
          expect(await both.ask({ method: 'POST', path: '/v1/users', body: { userId: 'first' }, node: 0 })).toMatchObject({ status: 200 })
          expect(await both.ask({ method: 'GET', path: '/v1/users/first', node: 1 })).toMatchObject({ status: 200 })
          expect(await both.ask({ method: 'POST', path: '/v1/users', body: { userId: 'first' }, node: 1 })).toMatchObject({ status: 409 })
        } finally {
          await two.stop()
        }
      }
    })
  })
}
