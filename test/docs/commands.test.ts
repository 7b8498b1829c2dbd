/** What the documents have one paste is run, all of a document's in one shell, and does what is written beside it. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventSource } from 'eventsource'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { until } from '../durability/conversation.ts'
import { asUser, spawnService, tokenFor, type ServiceProcess } from '../support/process.ts'
import { blocksOf, type Block } from './blocks.ts'
import { runBlocks } from './shell.ts'

let service: ServiceProcess
beforeEach(async () => { service = await spawnService() })
afterEach(async () => { await service.stop() })

/** Of refusals in what was printed or is shown: the reason, or the code where there is none. */
const refusalsIn = (text: string): string[] => [...text.matchAll(/\{\s*"error":.*?"errorCode": ?"(\w+)".*?"timestamp"/gs)].map(([refusal, code]) => /"reason": ?"(\w+)"/.exec(refusal)?.[1] ?? code!)

/** Refusals that a block says it is answered: in comments, and in the answer that is shown below it. */
function refusalsTold ({ text }: Block, below: Block | undefined): string[] {
  const told = [...text.matchAll(/# 4\d\d (\w+)$/gm)].map(([, refusal]) => refusal!)
  return below !== undefined && ['json', 'http'].includes(below.language) ? [...told, ...refusalsIn(below.text)] : told
}

// Those of docs/access.md are followed by test/access/recipes.test.ts.
it.each(['docs/protocol.md', 'docs/clients.md'])('those of %s, with the refusals that are told of and no others', { timeout: 60_000 }, async file => {
  const blocks = blocksOf(file)
  const commands = blocks.filter(({ language }) => language === 'sh')
  const printed = await runBlocks(commands, service)
  const of = (refusals: (block: Block, index: number) => string[]) => commands.map((block, index) => ({ line: block.line, refusals: refusals(block, index) }))
  expect(of((_, index) => refusalsIn(printed[index]!))).toEqual(of(block => refusalsTold(block, blocks[blocks.indexOf(block) + 1])))
})

it('those of the README: a channel, a second member, a message that streams tell of', { timeout: 60_000 }, async () => {
  const commands = blocksOf('README.md').filter(({ language, heading }) => language === 'sh' && heading === 'Publish and subscribe')
  const printed = await runBlocks(commands, service)
  expect(refusalsIn(printed.join(''))).toEqual([])
  expect(printed[0]).toMatch(/^\{"identifier":"my-channel"\}\n\n\{"messageId":/)
  for (const event of ['channel', 'participation', 'message', 'caught-up', 'gap']) expect(printed[0]).toContain(`event: ${event}\n`)
  expect(printed.at(-1)).toContain('"signedToken":"')
})

it('those of the page at the service\'s address', { timeout: 60_000 }, async () => {
  const page = await (await fetch(service.url, { headers: { accept: 'text/html' } })).text()
  const { accessKey, accessSecret } = service.credentials
  const text = /<pre>(.*)<\/pre>/s.exec(page)![1]!.replace('KEY=… SECRET=…', `KEY='${accessKey}' SECRET='${accessSecret}'`)
  expect(text).toContain(`API=${service.url} KEY='`)
  const [printed] = await runBlocks([{ language: 'sh', text, line: 1, heading: 'the page' }], service)
  expect(refusalsIn(printed!)).toEqual([])
  expect(printed!.match(/event: message\n/g)).toHaveLength(1)
})

it('the page\'s script of docs/protocol.md, which is told of messages, deletions, a gap and the end', async () => {
  const script = blocksOf('docs/protocol.md').find(({ language }) => language === 'js')!.text
  const token = await tokenFor(service, 'alice')
  await asUser(service, token, 'POST', '/v1/channels', { channelId: 'first-channel', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', groupType: 'public' })
  const { eventToken } = (await asUser(service, token, 'POST', '/v1/users/me/event-tokens')).body
  const told: string[] = []
  const tell = (what: string) => (of?: { textPayload: string } | string) => { told.push(`${what} ${typeof of === 'object' ? of.textPayload : of}`) }
  let source: EventSource | undefined
  class FromTheFuture extends EventSource {
    constructor (url: string) {
      super(`${url}&after=nowhere`)
      source = this
    }
  }
  // eslint-disable-next-line no-new-func -- as a page runs it
  new Function('API', 'eventToken', 'EventSource', 'show', 'remove', 'reload', 'ended', script)(
    service.url, eventToken, FromTheFuture, tell('show'), tell('remove'), () => told.push('reload'), tell('ended')
  )
  await until('it begins', () => told.includes('reload'))
  await asUser(service, token, 'POST', '/v1/channels/first-channel/messages', { messageId: 'message-1', textPayload: 'Hello' })
  await asUser(service, token, 'DELETE', '/v1/channels/first-channel/messages/message-1')
  await until('it is told of the deletion', () => told.includes('remove message-1'))
  await service.kill('SIGTERM')
  await until('it is told of the end', () => told.length === 4)
  source?.close()
  expect(told).toEqual(['reload', 'show Hello', 'remove message-1', 'ended shutdown'])
})

it('secrets that docs/deploy.md and docs/moving.md have one make are their owner\'s, and what a service takes', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'channel-relay-'))
  try {
    const made = ['docs/deploy.md', 'docs/moving.md'].map(file => blocksOf(file).find(({ text }) => text.includes('.env'))!)
    await runBlocks([{ ...made[0]!, text: `cd ${directory}\n${made[0]!.text}` }], service)
    await runBlocks([{ ...made[1]!, text: `cd ${directory}\n${made[1]!.text}` }], service)
    for (const file of ['.env', 'node.env']) {
      expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600)
      const { DATABASE_URL, POSTGRES_PASSWORD, ...env } = Object.fromEntries(readFileSync(join(directory, file), 'utf8').trim().split('\n').map(line => /^([^=]+)=(.*)$/.exec(line)!.slice(1)))
      expect(Object.keys(env).sort()).toEqual(['ACCESS_KEY', 'ACCESS_SECRET', 'APPLICATION_ID', 'TOKEN_SECRET'])
      const other = await spawnService({ env })
      await other.stop()
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
