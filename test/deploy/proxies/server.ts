/** A proxy with its configuration of deploy/, before nodes on this machine, as a process of its own. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../../durability/conversation.ts'
import { freePort } from '../../support/ports.ts'
import { projectDir } from '../../support/process.ts'

export interface Places {
  directory: string
  port: number
  tlsPort: number
  /** Ports of the nodes. */
  nodes: number[]
}

/** Where proxies are: Debian has some in a place that is on root's path only. */
export const programPath = `${process.env.PATH}:/usr/local/sbin:/usr/sbin`

/** One of the proxies that deploy/ has a configuration for. */
export interface ProxyKind {
  name: string
  /** From the root of the repository. */
  file: string
  /** Undefined: it is not on this machine. */
  version: string | undefined
  /** The file as it is, but for addresses, places, and TLS as it says that it is added. */
  configuration (text: string, places: Places): string
  /** Program and arguments that start it in the foreground. */
  command (file: string, directory: string): string[]
}

/** Says aloud that it is missing, where it is. */
export function isThere ({ name, file, version }: ProxyKind): boolean {
  if (version === undefined) console.warn(`${name} is not on this machine: ${file} is not tested (CONTRIBUTING.md says how it is installed)`)
  return version !== undefined
}

export class ProxyServer {
  readonly url: string
  /** Over TLS, with HTTP/2. */
  readonly tlsUrl: string
  readonly certificate: string
  readonly #directory: string
  readonly #process: ChildProcess

  private constructor (process: ChildProcess, { directory, port, tlsPort }: Places) {
    this.#process = process
    this.#directory = directory
    this.url = `http://127.0.0.1:${port}`
    this.tlsUrl = `https://127.0.0.1:${tlsPort}`
    this.certificate = readFileSync(join(directory, 'certificate.pem'), 'utf8')
  }

  /** Resolves when it answers. Throws with its log where it ends before. */
  static async start (kind: ProxyKind, nodes: number[]): Promise<ProxyServer> {
    const directory = mkdtempSync(join(tmpdir(), `channel-relay-${kind.name}-`))
    chmodSync(directory, 0o755)
    const places = { directory, port: await freePort(), tlsPort: await freePort(), nodes }
    makeCertificate(directory)
    const file = join(directory, 'configuration')
    writeFileSync(file, kind.configuration(readFileSync(join(projectDir, kind.file), 'utf8'), places))
    const log = openSync(join(directory, 'log'), 'a')
    const [program, ...args] = kind.command(file, directory)
    const child = spawn(program!, args, { cwd: directory, env: { PATH: programPath, HOME: directory }, stdio: ['ignore', log, log] })
    closeSync(log)
    const killWithUs = () => { child.kill('SIGKILL') }
    process.once('exit', killWithUs)
    child.once('exit', () => process.off('exit', killWithUs))
    const server = new ProxyServer(child, places)
    await until(`${kind.name} answers`, () => child.exitCode !== null || fetch(server.url).then(() => true, () => false))
    if (child.exitCode === null) return server
    const said = server.log
    await server.stop()
    throw new Error(`${kind.name} did not start:\n${said}`)
  }

  /** All that it has written down. */
  get log (): string {
    return readFileSync(join(this.#directory, 'log'), 'utf8')
  }

  async stop (): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit')
      this.#process.kill('SIGTERM')
      // Streams that are open would be waited for.
      const timer = setTimeout(() => this.#process.kill('SIGKILL'), 1_000)
      await ended
      clearTimeout(timer)
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** Of this machine: certificate.pem and key.pem, and both.pem as HAProxy wants them. */
function makeCertificate (directory: string): void {
  const [certificate, key] = [join(directory, 'certificate.pem'), join(directory, 'key.pem')]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '1', '-keyout', key, '-out', certificate], { stdio: 'ignore' })
  writeFileSync(join(directory, 'both.pem'), readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'))
}
