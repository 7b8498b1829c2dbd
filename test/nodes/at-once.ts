/** What one node has acknowledged holds on another one at once; and what several do at the same time happens once. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'
import { Callers, type Answer, type Request } from './calls.ts'
import { Cluster } from './cluster.ts'

/** On a busy machine, in milliseconds. */
const TEST_MS = 600_000

const ROOM = 'the-room-of-all'
const room = `/v1/channels/${ROOM}`

/** Two different nodes, other ones in each round. */
const pairOf = (round: number): [number, number] => [round % 3, (round + 1 + Math.floor(round / 3) % 2) % 3]

class Nodes {
  readonly #callers: Callers

  constructor (cluster: Cluster) {
    this.#callers = new Callers(cluster, Math.random)
  }

  async #ask (request: Request): Promise<Answer> {
    const answer = await this.#callers.ask(request)
    if (answer === undefined) throw new Error(`${request.method} ${request.path} had no answer`)
    return answer
  }

  async #make (request: Request): Promise<any> {
    const { status, body } = await this.#ask(request)
    expect(status, JSON.stringify(body)).toBeLessThan(300)
    return body
  }

  async #addUser (userId: string): Promise<string> {
    await this.#make({ method: 'POST', path: '/v1/users', body: { userId } })
    return (await this.#tokenOf(userId)).signedToken
  }

  async #tokenOf (userId: string): Promise<{ signedToken: string, tokenId: string }> {
    return (await this.#make({ method: 'POST', path: `/v1/users/${userId}/tokens` })).userToken
  }

  async openRoom (): Promise<void> {
    await this.#make({ method: 'POST', path: '/v1/channels', body: { channelId: ROOM, defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', groupType: 'strict_private' } })
  }

  /** Muted on one node, refused on another one right after the answer. */
  async refuseTheMuted (rounds: number): Promise<void> {
    const token = await this.#addUser('the-muted')
    await this.#make({ method: 'POST', path: `${room}/participants`, body: { participantId: 'the-muted' } })
    const send = (node: number, text: string) => this.#ask({ token, node, method: 'POST', path: `${room}/messages`, body: { textPayload: text } })
    for (let round = 0; round < rounds; round++) {
      const [one, other] = pairOf(round)
      expect((await this.#ask({ node: one, method: 'POST', path: `${room}/participants/the-muted/mute` })).status).toBe(204)
      expect((await send(other, 'muted')).status, `round ${round}: muted on node ${one}, sent on node ${other}`).toBe(403)
      expect((await this.#ask({ node: one, method: 'POST', path: `${room}/participants/the-muted/unmute` })).status).toBe(204)
      expect((await send(other, 'not muted')).status, `round ${round}: no longer muted on node ${one}, sent on node ${other}`).toBe(200)
    }
  }

  /** Revoked on one node, refused on another one right after the answer: a write and a read in turn. */
  async refuseTheRevoked (rounds: number): Promise<void> {
    const userId = 'the-revoked'
    await this.#addUser(userId)
    for (let round = 0; round < rounds; round++) {
      const [one, other] = pairOf(round)
      const { signedToken: token, tokenId } = await this.#tokenOf(userId)
      const request: Request = round % 2 === 0
        ? { token, node: other, method: 'POST', path: '/v1/channels', body: { defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat' } }
        : { token, node: other, method: 'GET', path: '/v1/users/me' }
      expect((await this.#ask(request)).status).toBe(200)
      expect((await this.#ask({ node: one, method: 'DELETE', path: `/v1/users/${userId}/tokens/${tokenId}` })).status).toBe(204)
      expect((await this.#ask(request)).status, `round ${round}: revoked on node ${one}, used on node ${other}`).toBe(401)
    }
  }

  /** Who joins a room on all nodes at once is in it once, wherever that is asked. */
  async joinAtOnce (count: number): Promise<void> {
    const path = '/v1/channels/joined-by-many/participants'
    await this.#make({ method: 'POST', path: '/v1/channels', body: { channelId: 'joined-by-many', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', groupType: 'public' } })
    const users = Array.from({ length: count }, (_, index) => `joins-${index}`)
    const tokens = await Promise.all(users.map(user => this.#addUser(user)))
    // Each twice, on two nodes: one of them comes second.
    const statuses = await Promise.all(users.flatMap((participantId, index) => pairOf(index).map(async node => {
      const { status } = await this.#ask({ token: tokens[index], node, method: 'POST', path, body: { participantId } })
      return status
    })))
    expect(Map.groupBy(statuses, status => status).get(204)).toHaveLength(count)
    expect(Map.groupBy(statuses, status => status).get(409)).toHaveLength(count)
    for (const node of [0, 1, 2]) {
      const members = await this.#make({ node, method: 'GET', path: `${path}?limit=1000` })
      expect(members.map(({ participantId }: { participantId: { identifier: string } }) => participantId.identifier).toSorted()).toEqual(users.toSorted())
    }
  }
}

/** Two nodes make the tables of one database at the same time, and are one service then. */
async function startAtOnce (postgres: PostgresServer, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const cluster = await Cluster.start({ postgres, nodes: 2 })
    try {
      const callers = new Callers(cluster, Math.random)
      expect((await callers.ask({ node: 0, method: 'POST', path: '/v1/users', body: { userId: 'amy' } }))?.status).toBe(200)
      expect((await callers.ask({ node: 1, method: 'POST', path: '/v1/users', body: { userId: 'amy' } }))?.status).toBe(409)
      expect((await callers.ask({ node: 1, method: 'GET', path: '/v1/users/amy' }))?.body.userId).toBe('amy')
    } finally {
      await cluster.stop()
    }
  }
}

interface Rounds {
  muted: number
  revoked: number
  starts: number
}

/** The suite, for so many rounds. */
export function holdAtOnce (rounds: Rounds): void {
  let postgres: PostgresServer
  let cluster: Cluster
  let nodes: Nodes
  beforeAll(async () => {
    postgres = await startPostgres()
    cluster = await Cluster.start({ postgres })
    nodes = new Nodes(cluster)
    await nodes.openRoom()
  }, 60_000)
  afterAll(async () => {
    await cluster?.stop()
    await postgres?.stop()
  })

  it(`who is muted on one node is refused on another one right after the answer, ${rounds.muted} times`, () => nodes.refuseTheMuted(rounds.muted), TEST_MS)

  it(`a token that is revoked on one node is refused on another one right after the answer, ${rounds.revoked} times`, () => nodes.refuseTheRevoked(rounds.revoked), TEST_MS)

  it('50 who join on three nodes at once, each on two of them, are 50 members', () => nodes.joinAtOnce(50), TEST_MS)

  it(`two nodes start on an empty database at once, ${rounds.starts} times`, () => startAtOnce(postgres, rounds.starts), TEST_MS)
}
