/** The image that the Dockerfile makes, carried out by hand in a folder: there is no engine to ask. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync, cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { projectDir } from '../support/process.ts'

export interface Instruction {
  name: string
  text: string
}

/** The instructions, in order; comments and line ends with a backslash are gone. */
export function readDockerfile (): Instruction[] {
  const lines = readFileSync(join(projectDir, 'Dockerfile'), 'utf8')
    .replaceAll(/^#.*\n/gm, '').replaceAll(/\\\n/g, ' ').split('\n').filter(line => line.trim() !== '')
  return lines.map(line => {
    const [, name, text] = /^(\w+)\s+(.*)$/.exec(line)!
    return { name: name!, text: text! }
  })
}

/** Paths that .dockerignore lets through. It lists what may pass, after a first line that holds all back. */
export function allowedSources (): string[] {
  const [first, ...rest] = readFileSync(join(projectDir, '.dockerignore'), 'utf8').trim().split('\n')
  if (first !== '*' || !rest.every(line => line.startsWith('!'))) throw new Error('.dockerignore is not a list of what may pass')
  return rest.map(line => line.slice(1))
}

/** Whom the image's `node` user is played by: nobody's account where the test may change users, or else whoever runs it. */
const user = process.getuid!() === 0 ? { uid: 65_534, gid: 65_534 } : { uid: process.getuid!(), gid: process.getgid!() }

export interface Image {
  /** The folder that stands for the image's root. */
  root: string
  environment: Record<string, string>
  command: string[]
  healthcheck: string[]
  /** Runs a command as the container would: in its folder, with its variables and these, as its user. */
  run (command: string[], variables: Record<string, string>): ChildProcess
  remove (): void
}

/** Carries out the Dockerfile in an empty folder. Absolute paths of the image lie in that folder. */
export function buildImage (): Image {
  const root = mkdtempSync(join(tmpdir(), 'channel-relay-image-'))
  chmodSync(root, 0o755)
  let directory = root
  const environment: Record<string, string> = {}
  // The node that runs the tests stands for the one of the image, where any user may run it.
  const bin = join(root, 'usr/local/bin')
  cpSync(process.execPath, join(bin, 'node'))
  const path = [bin, process.env.PATH].join(delimiter)
  const image: Image = {
    root,
    environment,
    command: [],
    healthcheck: [],
    run: ([program, ...args], variables) => spawn(program!, args, {
      cwd: directory, ...user, env: { PATH: path, ...environment, ...variables }, stdio: ['ignore', 'pipe', 'pipe']
    }),
    remove () {
      setModes(root, mode => mode | 0o700)
      rmSync(root, { recursive: true })
    }
  }

  const steps: Record<string, (text: string) => void> = {
    FROM () {},
    WORKDIR (text) {
      directory = join(root, text)
      mkdirSync(directory, { recursive: true })
    },
    ENV (text) {
      for (const [, name, value] of text.matchAll(/(\w+)=(\S+)/g)) environment[name!] = value!
    },
    COPY (text) {
      const paths = text.split(/\s+/)
      const target = paths.pop()!
      for (const source of paths) cpSync(join(projectDir, source), join(directory, target, ...(target.endsWith('/') ? [source] : [])), { recursive: true })
    },
    RUN (text) {
      const command = text.replaceAll(/(?<= )\/(?=\w)/g, `${root}/`).replaceAll('node:node', `${user.uid}:${user.gid}`)
      const env = { ...process.env, ...environment, PATH: path, npm_config_cache: join(root, 'root/.npm') }
      const { status, stderr } = spawnSync('sh', ['-c', command], { cwd: directory, env, encoding: 'utf8' })
      if (status !== 0) throw new Error(`RUN ${text} failed: ${stderr}`)
    },
    USER () {},
    VOLUME () {},
    EXPOSE () {},
    HEALTHCHECK (text) { image.healthcheck = JSON.parse(text.slice(text.indexOf('['))) },
    CMD (text) { image.command = JSON.parse(text) }
  }
  try {
    for (const { name, text } of readDockerfile()) steps[name]!(text)
  } catch (err) {
    image.remove()
    throw err
  }
  return image
}

/** Takes the right to write from everything of the image but its volume: `docker run --read-only`. */
export function makeReadOnly ({ root }: Image, volume: string): void {
  setModes(root, mode => mode & 0o555, join(root, volume))
}

function setModes (path: string, change: (mode: number) => number, except?: string): void {
  const status = lstatSync(path)
  if (path === except || status.isSymbolicLink()) return
  chmodSync(path, change(status.mode))
  if (status.isDirectory()) for (const name of readdirSync(path)) setModes(join(path, name), change, except)
}
