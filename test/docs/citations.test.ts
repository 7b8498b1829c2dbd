/** Citations lead somewhere: what a comment, a string or a document names is in the repository, in that place. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Citations, type Files } from './citations.ts'

const root = join(import.meta.dirname, '../..')
const repository: Files = {
  exists: path => existsSync(join(root, path)),
  read: path => readFileSync(join(root, path), 'utf8')
}

/** This folder is left out: it has citations that are wrong on purpose. */
const files = globSync(['{src,routes,schemas,test,bench,clients}/**/*.{ts,js,sql}', '{docs,clients}/**/*.md', 'README.md', 'CONTRIBUTING.md'], {
  cwd: root, exclude: ['**/node_modules/**', 'test/docs/**', 'test/openapi/api.d.ts']
}).sort()

describe('the repository', () => {
  it('is looked through', () => {
    expect(files).toEqual(expect.arrayContaining(['README.md', 'docs/protocol.md', 'docs/relay.md', 'src/server.ts', 'test/relay/tables.ts']))
    expect(files.filter(file => file.startsWith('test/docs/') || file.includes('node_modules'))).toEqual([])
  })

  it('cites nothing that is not there', () => {
    const citations = new Citations(repository)
    expect(files.flatMap(file => citations.faultsOf(file))).toEqual([])
  })
})

const made: Record<string, string> = {
  'docs/protocol.md': `# The protocol\n\n## 1. Rules\n\n### Rule 1: ids\n\n### Rule 2: time\n
## 8. Streams\n\n### Signature\n\n| event | |\n|---|---|\n| \`ready\`, \`bye\` | |\n\n#### Promise 4: rights\n
\`\`\`sh\n# Rule 9: a comment in an example\n\`\`\`\n`,
  'docs/relay.md': '# Relay\n\n## The tables\n\n### mute, unmute\n\n## What was mended\n\n1. **One.** So.\n\n## Scenarios\n\n| order and load | |\n'
}

/** The faults of a made-up file, without where they are. */
function faultsOf (text: string, file = 'src/made-up.ts'): string[] {
  const all: Record<string, string> = { ...made, [file]: text }
  return new Citations({ exists: path => path in all, read: path => all[path]! }).faultsOf(file)
}

describe('a citation', () => {
  it.each([
    'protocol 1', 'protocol 1 and 8', 'Protocol 8, `ready`', 'protocol 8, `bye`', 'protocol 8, "Signature"', 'protocol 8, promise 4',
    'protocol 1, rule 2', 'protocol 1, rules 1 and 2', 'protocol 1, 8, promise 4', 'docs/relay.md', 'relay.md, "The tables"', 'relay.md, "unmute"',
    'relay.md, "mute" to "unmute"', 'relay.md, mending 1', 'relay.md, scenarios: order and load.', 'the store\'s contract', 'test/store/contract.ts', 'storeContract'
  ])('that leads somewhere passes: %s', text => {
    expect(faultsOf(`/** Why (${text}). */`)).toEqual([])
  })

  it.each([
    ['protocol 3', 'docs/protocol.md has no section 3'],
    ['protocol 1 and 3', 'docs/protocol.md has no section 3'],
    ['protocol 1, rule 3', 'docs/protocol.md has no "rule 3"'],
    ['protocol 1, rules 1 and 9', 'docs/protocol.md has no "rule 9"'],
    ['protocol 1, promise 4', 'docs/protocol.md has no "promise 4"'],
    ['protocol 8, "Tokens"', 'docs/protocol.md has no "tokens"'],
    ['protocol 1, `ready`', 'docs/protocol.md has no "ready"'],
    ['relay.md, "kick"', 'docs/relay.md has no "kick"'],
    ['relay.md, "mute" to "kick"', 'docs/relay.md has no "kick"'],
    ['relay.md, mending 2', 'docs/relay.md has no "2"'],
    ['relay.md, scenarios: mute', 'docs/relay.md has no "mute"'],
    ['store.md', 'there is no such document'],
    ['docs/architecture.md', 'there is no such document']
  ])('that leads nowhere fails: %s', (text, why) => {
    expect(faultsOf(`/** Why (${text}). */`)).toEqual([`src/made-up.ts:1: ${JSON.stringify(text)}: ${why}`])
  })

  it.each([
    'contract 8', 'Contract 1, rule 3', 'contract 1.7', 'contract.md', 'design.md', 'acl.md', 'protocol 1.2'
  ])('in a form that nobody can follow fails: %s', text => {
    expect(faultsOf(`// Why (${text}).`)).not.toEqual([])
  })

  it('is found where a comment breaks the line in it', () => {
    expect(faultsOf('/**\n * Why (protocol 8,\n *   promise 5), and contract\n * 8.\n */')).toEqual([
      'src/made-up.ts:2: "protocol 8, promise 5": docs/protocol.md has no "promise 5"',
      'src/made-up.ts:3: "contract 8": cite "protocol N"'
    ])
  })

  it('is found in a string', () => {
    expect(faultsOf('it(\'is as protocol 12 says\', () => {})')).toHaveLength(1)
  })
})

describe('a link between documents', () => {
  it.each([
    '[a](protocol.md)', '[a](protocol.md#1-rules)', '[a](relay.md#mute-unmute)', '[a](#here)', '[a](https://example.com/x#y)', '`[a](gone.txt)`'
  ])('that leads somewhere passes: %s', link => {
    expect(faultsOf(`# Here\n\n${link}\n`, 'docs/made-up.md')).toEqual([])
  })

  it.each([
    ['[a](gone.txt)', 'there is no docs/gone.txt'],
    ['[a](../protocol.md)', 'there is no protocol.md'],
    ['[a](#there)', 'docs/made-up.md has no heading for #there'],
    ['[a](relay.md#mute)', 'docs/relay.md has no heading for #mute'],
    ['[a](protocol.md#rule-9-a-comment-in-an-example)', 'docs/protocol.md has no heading for #rule-9-a-comment-in-an-example']
  ])('that leads nowhere fails: %s', (link, why) => {
    expect(faultsOf(`# Here\n\n${link}\n`, 'docs/made-up.md')).toEqual([expect.stringContaining(why)])
  })
})
