/** What the documents have one paste is run, all of a document's in one shell, and does what is written beside it. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { spawnService, type ServiceProcess } from '../support/process.ts'
import { blocksOf, runBlocks, type Block } from './shell.ts'

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
