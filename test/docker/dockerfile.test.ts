/** The Dockerfile: what it says, and that what it makes starts, answers and ends. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { allowedSources, buildImage, makeReadOnly, readDockerfile, type Image } from './image.ts'

let image: Image
const started = new Set<ChildProcess>()
beforeAll(() => { image = buildImage() }, 120_000)
afterAll(() => {
  for (const child of started) child.kill('SIGKILL')
  image.remove()
})

/** What an instruction says, wherever it stands. */
const said = (name: string) => readDockerfile().filter(instruction => instruction.name === name).map(({ text }) => text)

function run (command: string[], variables: Record<string, string> = {}): ChildProcess {
  const child = image.run(command, variables)
  started.add(child)
  child.once('close', () => started.delete(child))
  return child
}

/** Resolves with the first match in what a process writes; rejects with all of it where the process ends before. */
async function written (child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  let text = ''
  return await new Promise((resolve, reject) => {
    const read = (chunk: Buffer) => {
      text += chunk.toString()
      const match = pattern.exec(text)
      if (match !== null) resolve(match)
    }
    child.stdout!.on('data', read)
    child.stderr!.on('data', read)
    child.once('close', () => reject(new Error(`it ended: ${text}`)))
  })
}

async function exitCode (child: ChildProcess): Promise<number | null> {
  child.stdout!.resume()
  child.stderr!.resume()
  const [code] = await once(child, 'close') as [number | null]
  return code
}

it('stands on the Node that the project needs, and runs as another user than root', () => {
  const [, version] = /^node:(\d+)-slim$/.exec(said('FROM')[0]!)!
  expect(manifest.engines.node).toBe(`>=${version}`)
  expect(manifest.devDependencies.node.split('.')[0]).toBe(version)
  const names = readDockerfile().map(({ name }) => name)
  expect(said('USER')).toEqual(['node'])
  expect(names.lastIndexOf('RUN')).toBeLessThan(names.indexOf('USER'))
})

it('listens to everybody, keeps its data in the volume, and starts without a shell in between', () => {
  const [volume] = said('VOLUME')
  expect(image.environment).toMatchObject({ NODE_ENV: 'production', HOST: '0.0.0.0', PORT: said('EXPOSE')[0], DATA_DIR: volume })
  // Without a place for them, large sorts fail on a read-only root (SQLITE_IOERR_GETTEMPPATH).
  expect(image.environment.SQLITE_TMPDIR).toBe(volume)
  expect(image.command).toEqual(['node', 'src/server.ts'])
  expect(image.healthcheck[0]).toBe('node')
})

it('copies what .dockerignore lets through, and nothing else', () => {
  const copied = said('COPY').flatMap(text => text.split(/\s+/).slice(0, -1))
  expect(copied.toSorted()).toEqual(allowedSources().toSorted())
  expect(readdirSync(join(image.root, 'app')).toSorted()).toEqual([...new Set(copied.map(path => path.split('/')[0])), 'node_modules'].toSorted())
})

it('holds no development dependency, and no cache of npm', () => {
  const installed = (name: string) => existsSync(join(image.root, 'app/node_modules', name, 'package.json'))
  expect(Object.keys(manifest.dependencies).filter(name => !installed(name))).toEqual([])
  expect(Object.keys(manifest.devDependencies).filter(installed)).toEqual([])
  const cache = join(image.root, 'root/.npm/_cacache')
  expect(existsSync(cache) ? readdirSync(cache) : []).toEqual([])
})

it('starts on a read-only root, answers, is healthy, ends on SIGTERM, and keeps its data', async () => {
  makeReadOnly(image, '/data')
  const dataDir = join(image.root, 'data')
  const variables = { DATA_DIR: dataDir, SQLITE_TMPDIR: dataDir, PORT: '0' }
  expect(await exitCode(run(['sh', '-c', 'echo > src/written || echo > ../written']))).not.toBe(0)

  const service = run(image.command, variables)
  const [, port] = await written(service, /listening on http:\/\/\S+?:(\d+)/)
  const ready = await fetch(`http://127.0.0.1:${port}/health/ready`)
  expect([ready.status, await ready.json()]).toEqual([200, { status: 'ok' }])
  expect(await exitCode(run(image.healthcheck, { PORT: port! }))).toBe(0)

  service.kill('SIGTERM')
  expect(await exitCode(service)).toBe(0)
  expect(await exitCode(run(image.healthcheck, { PORT: port! }))).toBe(1)

  const credentials = readFileSync(join(dataDir, 'credentials.json'), 'utf8')
  const again = run(image.command, variables)
  await written(again, /listening on/)
  again.kill('SIGTERM')
  expect(await exitCode(again)).toBe(0)
  expect(readFileSync(join(dataDir, 'credentials.json'), 'utf8')).toBe(credentials)
  expect(lstatSync(dataDir).mode & 0o777).toBe(0o700)
})
