/** compose.yaml, held against what the service reads and what it is started with; there is no engine to ask. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadCredentials } from '../../src/auth/credentials.ts'
import { readSettings } from '../../src/settings.ts'
import { readDockerfile } from '../docker/image.ts'
import { projectDir } from '../support/process.ts'

interface Service {
  image?: string
  build?: string
  environment?: Record<string, string>
  depends_on?: unknown
  healthcheck?: { test: string[] }
  ports?: string[]
  volumes?: string[]
  tmpfs?: string[]
  stop_grace_period?: string
}

/** The parser that makes openapi.yaml. */
const { parse } = createRequire(import.meta.resolve('@fastify/swagger'))('yaml') as { parse: (text: string, options: object) => { services: Record<string, Service>, volumes: object } }
const { services, volumes } = parse(readFileSync(join(projectDir, 'compose.yaml'), 'utf8'), { merge: true })
const nodes = Object.entries(services).filter(([, { build }]) => build !== undefined)

/** As compose puts variables in: `${NAME:-default}`, `${NAME:?why it must be set}`. Throws as it does. */
function filled (text: string, variables: Record<string, string>): string {
  return text.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, operator?: string, word = '') => {
    if (variables[name]) return variables[name]
    if (operator === '?') throw new Error(`${name}: ${word}`)
    return word
  })
}
const filledAll = (environment: Record<string, string> = {}, variables: Record<string, string> = {}) =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, filled(value, variables)]))

const secrets = {
  POSTGRES_PASSWORD: 'f00d'.repeat(12),
  APPLICATION_ID: 'relay',
  ACCESS_KEY: 'key',
  ACCESS_SECRET: Buffer.alloc(32, 7).toString('base64'),
  TOKEN_SECRET: 'a'.repeat(128)
}

it('has three nodes, all alike, each with an environment that the service starts with', () => {
  expect(nodes.map(([name]) => name)).toEqual(['node-1', 'node-2', 'node-3'])
  for (const [, node] of nodes) {
    expect(node).toEqual(nodes[0]![1])
    const settings = readSettings(filledAll(node.environment, secrets))
    expect(settings.databaseUrl).toContain('@postgres:5432/')
    expect(loadCredentials(settings)).toEqual({ applicationId: 'relay', accessKey: 'key', accessSecret: secrets.ACCESS_SECRET, tokenSecret: secrets.TOKEN_SECRET })
  }
})

it('every variable of a node is a setting, which a wrong value shows', () => {
  const { environment } = nodes[0]![1]
  const given = filledAll(environment, secrets)
  for (const name of Object.keys(environment!)) expect(() => readSettings({ ...given, [name]: '~ ä' }), name).toThrow(name)
})

it.each(Object.keys(secrets))('without %s it says how that is made', name => {
  const { [name as keyof typeof secrets]: _, ...rest } = secrets
  const start = () => Object.values(services).map(({ environment }) => filledAll(environment, rest))
  expect(start).toThrow(new RegExp(`^${name}: set it to a`))
})

it('a node is stopped later than it stops by itself, and keeps nothing', () => {
  const { stop_grace_period: stopGrace, tmpfs } = nodes[0]![1]
  expect(Number.parseInt(stopGrace!) * 1000).toBeGreaterThan(readSettings({}).shutdownGraceMs)
  expect(tmpfs).toEqual(readDockerfile().filter(({ name }) => name === 'VOLUME').map(({ text }) => text))
})

it('the database is the one that nodes are told of, keeps its data, and is waited for', () => {
  const { environment, healthcheck, volumes: [volume] = [] } = services.postgres!
  const { POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: database } = filledAll(environment, secrets)
  expect(filled(nodes[0]![1].environment!.DATABASE_URL!, secrets)).toBe(`postgres://${user}:${password}@postgres:5432/${database}`)
  expect(healthcheck!.test).toEqual(expect.arrayContaining(['pg_isready', user, database]))
  expect(Object.keys(volumes)).toEqual([volume!.split(':')[0]])
  expect(nodes[0]![1].depends_on).toEqual({ postgres: { condition: 'service_healthy' } })
})

it('nginx has its configuration, which names the nodes and the port that is published', () => {
  const { volumes: [mount] = [], ports, depends_on: after } = services.proxy!
  const [file] = mount!.split(':')
  expect(existsSync(join(projectDir, file!))).toBe(true)
  const text = readFileSync(join(projectDir, file!), 'utf8')
  const [exposed] = readDockerfile().filter(({ name }) => name === 'EXPOSE').map(({ text }) => text)
  expect([...text.matchAll(/^\s*server (node-\d):(\d+) /gm)].map(([, name, port]) => [name, port])).toEqual(nodes.map(([name]) => [name, exposed]))
  expect(after).toEqual(nodes.map(([name]) => name))
  expect(filled(ports![0]!, {})).toBe(`11902:${/listen (\d+);/.exec(text)![1]}`)
})
