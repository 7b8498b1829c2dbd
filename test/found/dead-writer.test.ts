/** The thread that writes dies: nobody waits for it, streams are told, and the process ends, to be started again. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { expect, it, onTestFinished } from 'vitest'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { until } from '../durability/conversation.ts'
import { createUser } from '../support/commands.ts'
import { asUser, call, spawnService, tokenFor } from '../support/process.ts'
import { openReader } from '../support/sse.ts'

/** How long the process may take to end by itself, in milliseconds. */
const ENDS_WITHIN_MS = 10_000

it.each(['terminated', 'by an error'])('when the writer dies, %s, calls under way are 503, streams end with bye unavailable, and the process fails', async how => {
  const service = await spawnService({
    nodeArgs: ['--import', pathToFileURL(join(import.meta.dirname, 'mortal-threads.ts')).href],
    env: { DYING: how, LOG_LEVEL: 'warn' }
  })
  const token = await tokenFor(service, 'amy')
  const headers = { authorization: `Bearer ${token}` }
  const made = await asUser(service, token, 'POST', '/v1/channels', { channelId: 'room-of-amy', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat' })
  expect(made.status).toBe(200)
  const readers = await Promise.all(['/v1/users/me/events', '/v1/channels/room-of-amy/events'].map(path => openReader(service.url + path, headers)))
  await Promise.all(readers.map(reader => reader.until('caught-up')))

  service.process.kill('SIGWINCH')
  await until('the writer stands still', () => service.output('stderr').includes('still\n'))
  let written = 0
  const underWay = Array.from({ length: 5 }, async (_, index) => {
    written++
    return await call(service.url, 'POST', '/v1/channels/room-of-amy/messages', headers, { textPayload: `${index}` })
  })
  await until('they are under way', () => written === 5)
  expect((await call(service.url, 'GET', '/health/live', {})).status).toBe(200)
  const answers = Promise.all(underWay.map(answer => answer.then(({ status }) => status, () => 'no answer')))
  const ended = once(service.process, 'exit', { signal: AbortSignal.timeout(ENDS_WITHIN_MS) }).then(([code]) => code === 0 ? 'well' : 'failed', () => 'not at all')
  service.process.kill('SIGWINCH')

  // Nobody is served by a process that cannot write: it ends, and another one takes its place.
  const end = await ended
  await service.kill('SIGKILL')
  await service.stop()
  await Promise.all(readers.map(reader => reader.ended))
  const last = readers.map(({ frames }) => [frames.at(-1)!.event, frames.at(-1)!.json.reason])
  expect({ end, answers: await answers, last }).toEqual({
    end: 'failed', answers: [503, 503, 503, 503, 503], last: [['bye', 'unavailable'], ['bye', 'unavailable']]
  })
}, 60_000)

it('a store whose writer has died settles and closes, and has refused what it was asked meanwhile', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-dead-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const started = once(process, 'worker') as Promise<[Worker]>
  const store = await openSqliteStore({ dataDir })
  const [writer] = await started
  const underWay = store.append(createUser('amy')).then(() => 'done', err => err.code)
  await writer.terminate()
  const late = store.append(createUser('ben')).then(() => 'done', err => err.code)
  const bounded = (work: Promise<unknown>) => Promise.race([work, once(AbortSignal.timeout(2_000), 'abort').then(() => 'hangs')])
  expect({
    underWay: await bounded(underWay),
    late: await bounded(late),
    check: await bounded(store.check().then(() => 'good', err => err.code)),
    settle: await bounded(store.settle().then(() => 'over', () => 'over')),
    close: await bounded(store.close().then(() => 'over', () => 'over'))
  }).toEqual({ underWay: expect.stringMatching(/^(done|unavailable)$/), late: 'unavailable', check: 'unavailable', settle: 'over', close: 'over' })
})
