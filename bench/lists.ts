/**
 * What access control lists cost a publish and a delivery: `node bench/lists.ts [members] [streams] [messages]`, on Linux.
 * CPU of the whole service, in microseconds; the figures that count are the ratios to a channel without lists in the same run.
 */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { Pool } from 'undici'
import { asApplication, basicOf, spawnService } from '../test/support/process.ts'

const [members = 10_000, streams = 500, messages = 1_000] = process.argv.slice(2).map(Number)
const ROUNDS = 5
const PUBLISHERS = 64
const CHANNEL = 'town-square'
/** Clock ticks of `/proc`, in microseconds: a hundred a second. */
const TICK_US = 10_000

interface Case {
  name: string
  channel: string[]
  message: string[]
}

const active = `read_message:participant(${CHANNEL}:Active)`
const reading = `read_from_channel:participant(${CHANNEL})`
const people = (privilege: string): string[] => Array.from({ length: 31 }, (_, index) => `${privilege}:user(user-${index})`)
const cases: Case[] = [
  { name: 'without lists', channel: [], message: [] },
  { name: 'a channel with lists', channel: [reading, `send_to_channel:participant(${CHANNEL}:Active)`, `modify_acl:admin(${CHANNEL})`], message: [] },
  { name: 'a message to all who are active', channel: [], message: [active] },
  { name: 'both', channel: [reading, `send_to_channel:participant(${CHANNEL}:Active)`], message: [active] },
  { name: '32 entries of each, 31 of them people', channel: [reading, ...people('read_from_channel')], message: [active, ...people('read_message')] }
]

const service = await spawnService({ env: { LOG_LEVEL: 'warn' } })
const application = { authorization: basicOf(service.credentials) }
const pool = new Pool(service.url, { connections: PUBLISHERS, pipelining: 1 })
try {
  await prepare()
  const taken = cases.map(() => ({ publish: [] as number[], delivery: [] as number[] }))
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, one] of cases.entries()) {
      const { publish, delivery } = await measure(one)
      if (round === 0) continue // warming up
      taken[index]!.publish.push(publish)
      taken[index]!.delivery.push(delivery)
    }
  }
  console.log(`${members} members, ${streams} streams, ${messages} messages from ${PUBLISHERS} connections: µs of CPU, medians of ${ROUNDS}`)
  const base = { publish: median(taken[0]!.publish), delivery: median(taken[0]!.delivery) }
  for (const [index, { name }] of cases.entries()) {
    const [publish, delivery] = [median(taken[index]!.publish), median(taken[index]!.delivery)]
    console.log(`${name.padEnd(40)} a publish ${publish.toFixed(0).padStart(5)} (${(publish / base.publish).toFixed(2)} x), a delivery ${delivery.toFixed(2)} (${(delivery / base.delivery).toFixed(2)} x)`)
  }
} finally {
  await pool.close()
  await service.stop()
}

async function prepare (): Promise<void> {
  const ids = Array.from({ length: members }, (_, index) => `user-${index}`)
  await each(ids, userId => request('POST', '/v1/users', { userId }))
  await request('POST', '/v1/channels', {
    channelId: CHANNEL, defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', participation: ids.slice(0, 1_000).map(participantId => ({ participantId }))
  })
  await each(ids.slice(1_000), participantId => request('POST', `/v1/channels/${CHANNEL}/participants`, { participantId }))
}

async function measure ({ channel, message }: Case): Promise<{ publish: number, delivery: number }> {
  await asApplication(service, 'PATCH', `/v1/channels/${CHANNEL}/acls`, { patchType: 'Set', setAcls: { plusAppliedAcls: channel } })
  const body = { textPayload: 'x'.repeat(100), ...(message.length === 0 ? {} : { appliedAcls: { plusAppliedAcls: message } }) }
  const publish = await cpuOf(() => publishAll(body)) / messages
  const { sockets, delivered } = await subscribe()
  const both = await cpuOf(async () => {
    await publishAll(body)
    while (delivered() < messages * streams * 0.99) await new Promise(resolve => setTimeout(resolve, 1))
  })
  sockets.forEach(socket => socket.destroy())
  return { publish, delivery: (both - messages * publish) / (messages * streams) }
}

async function publishAll (body: object): Promise<void> {
  let left = messages
  await Promise.all(Array.from({ length: PUBLISHERS }, async () => {
    while (left-- > 0) await request('POST', `/v1/channels/${CHANNEL}/messages`, body)
  }))
}

/** Members' own streams, on bare sockets that count frames. */
async function subscribe (): Promise<{ sockets: Socket[], delivered: () => number }> {
  let delivered = 0
  const sockets = await Promise.all(Array.from({ length: streams }, async (_, index) => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
    socket.write(`GET /v1/users/me/events HTTP/1.1\r\nhost: bench\r\nauthorization: ${application.authorization}\r\nx-mitter-sudo-user-id: user-${index}\r\n\r\n`)
    const live = Promise.withResolvers<void>()
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      if (chunk.includes('event: caught-up')) live.resolve()
      for (let at = chunk.indexOf('event: message\n'); at !== -1; at = chunk.indexOf('event: message\n', at + 1)) delivered++
    })
    await live.promise
    return socket
  }))
  return { sockets, delivered: () => delivered }
}

async function request (method: 'POST', path: string, body: object): Promise<void> {
  const answer = await pool.request({ method, path, headers: { ...application, 'content-type': 'application/json' }, body: JSON.stringify(body) })
  const text = await answer.body.text()
  if (answer.statusCode > 204) throw new Error(`${path} answered ${answer.statusCode}: ${text}`)
}

async function cpuOf (work: () => Promise<void>): Promise<number> {
  const before = cpuOfService()
  await work()
  return cpuOfService() - before
}

/** User and system time of the service, all of its threads, in microseconds. */
function cpuOfService (): number {
  const fields = readFileSync(`/proc/${service.process.pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_US
}

async function each<T> (all: T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += 500) await Promise.all(all.slice(at, at + 500).map(work))
}

function median (numbers: number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)]!
}
