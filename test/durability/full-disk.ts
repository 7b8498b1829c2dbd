/** The scenario of disk-full.test.ts: a busy service whose disk fills up, and has space again. */
import { expect } from 'vitest'
import { asUser, call, spawnService, type ServiceProcess } from '../support/process.ts'
import { listAll, sendOnce, sendUntilAcknowledged, startConversation, streamUrl, until, type Conversation } from './conversation.ts'
import { openRawStream, type RawStream } from './raw-stream.ts'
import type { SmallDisk } from './small-disk.ts'

const HEARTBEAT_MS = 100

/** Messages before the disk is full, and those that are refused while it is: at least so many. */
const BEFORE = 20
const REFUSED = 12

/** Sends at the same time, which share a transaction. */
const TOGETHER = 5

/** Far more than fit into what the files can still hold. */
const ROUNDS_MAX = 500

/** Text that the log cannot hold without growing. */
const text = (name: string) => `${name} ${'x'.repeat(5_000)}`

/** Carries it through, `times` over, on one service, then kills the service and looks once more. Disposes of the disk. */
export async function survivesFullDisk (disk: SmallDisk, times: number): Promise<void> {
  const undo: Array<() => unknown> = [() => disk.dispose()]
  try {
    const options = { dataDir: disk.dataDir, env: { HEARTBEAT_MS: String(HEARTBEAT_MS), LOG_LEVEL: 'warn' } }
    const service = await spawnService(options)
    undo.push(() => service.kill('SIGKILL'))
    const pid = service.process.pid!
    const member = await Member.start(service)
    undo.push(() => member.stream.close())

    for (let time = 1; time <= times; time++) {
      for (let n = 0; n < BEFORE; n++) await member.send(`time ${time}, before ${n}`)
      await disk.fill(pid)
      const refused = await member.sendUntilRefused(`time ${time}, full`)
      await member.mustReadAsEver()
      await disk.free(pid)
      // What was refused is not there, and comes when it is sent again.
      await member.mustHaveWhatWasAcknowledged()
      await Promise.all(refused.map(name => member.send(name)))
      await member.mustHaveWhatWasAcknowledged()
    }

    await member.send('the last')
    await member.mustHaveStreamed()
    expect(service.output(), 'the disk was really full').toMatch(/database or disk is full|disk I\/O error/)
    expect(service.process.exitCode ?? service.process.signalCode).toBe(null)
    await service.kill('SIGKILL')
    const again = await spawnService(options)
    undo.push(() => again.kill('SIGKILL'))
    member.conversation.url = again.url
    await member.mustHaveWhatWasAcknowledged()
  } finally {
    for (const step of undo.reverse()) await step()
  }
}

/** One who sends, and reads by GET and on a stream. */
class Member {
  readonly conversation: Conversation
  readonly stream: RawStream
  readonly #acknowledged: string[] = []

  private constructor (conversation: Conversation, stream: RawStream) {
    this.conversation = conversation
    this.stream = stream
  }

  static async start (service: ServiceProcess): Promise<Member> {
    const conversation = await startConversation(service)
    return new Member(conversation, await openRawStream(await streamUrl(conversation)))
  }

  async send (name: string): Promise<void> {
    await sendUntilAcknowledged(this.conversation, `key-of-${name}`, { textPayload: text(name) })
    this.#acknowledged.push(text(name))
  }

  /**
   * Sends, alone and several at a time, until enough were refused, and answers those. Until the last room is
   * used up, inside of the files themselves too, some are still stored.
   */
  async sendUntilRefused (prefix: string): Promise<string[]> {
    const refused: string[] = []
    const attempt = async (name: string) => {
      const answer = await sendOnce(this.conversation, `key-of-${name}`, { textPayload: text(name) })
      if (answer.status === 200) {
        this.#acknowledged.push(text(name))
      } else {
        mustBeUnavailable(answer)
        refused.push(name)
      }
    }
    for (let round = 0; refused.length < REFUSED; round++) {
      await attempt(`${prefix}, alone ${round}`)
      await Promise.all(Array.from({ length: TOGETHER }, (_, n) => attempt(`${prefix}, together ${round} ${n}`)))
      if (round === ROUNDS_MAX) throw new Error(`the disk is full, and only ${refused.length} sends were refused`)
    }
    return refused
  }

  async mustHaveWhatWasAcknowledged (): Promise<void> {
    const listed = await listAll(this.conversation)
    expect(listed.map(message => message.text).sort()).toEqual(this.#acknowledged.toSorted())
  }

  async mustHaveStreamed (): Promise<void> {
    await until('what was acknowledged arrives', () => this.stream.texts().length >= this.#acknowledged.length)
    expect(this.stream.ended()).toBe(false)
    expect(this.stream.texts()).toEqual((await listAll(this.conversation)).map(message => message.text))
  }

  /** GETs, the stream that is open, and one that is opened now. */
  async mustReadAsEver (): Promise<void> {
    const { url, token, channelId } = this.conversation
    expect((await call(url, 'GET', '/health/live', {})).status).toBe(200)
    for (const path of [`/v1/channels/${channelId}`, `/v1/channels/${channelId}/participants`, '/v1/users/me']) {
      expect([path, (await asUser({ url }, token, 'GET', path)).status]).toEqual([path, 200])
    }
    await this.mustHaveWhatWasAcknowledged()
    const seen = this.stream.heartbeats()
    await until('heartbeats go on', () => this.stream.heartbeats() >= seen + 3)
    await this.mustHaveStreamed()
    const replay = await openRawStream(`${await streamUrl(this.conversation)}&after=earliest`)
    await until('a stream that is opened now gets the history', () => replay.texts().length >= this.#acknowledged.length)
    await replay.close()
    expect(replay.texts()).toEqual(this.stream.texts())
  }
}

/** The envelope of protocol 1, rule 6, with nothing of the cause in it. */
function mustBeUnavailable ({ status, headers, body }: Awaited<ReturnType<typeof sendOnce>>): void {
  expect([status, body.error, body.errorCode, body.error_code]).toEqual([503, 'Service Unavailable', 'unavailable', 'unavailable'])
  expect(body).toMatchObject({ message: expect.any(String), instanceId: expect.any(String), timestamp: expect.any(Number) })
  expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
  expect(body.message).not.toMatch(/sqlite|disk|full|i\/o/i)
}
