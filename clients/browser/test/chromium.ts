/** A Chromium without a window, by its debugging protocol: tabs that run what they are told, go offline, crash; and a browser that stands still. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Where it is, or undefined where there is none (`apt-get install chromium`). */
export const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find(name => spawnSync(name, ['--version']).status === 0)

export interface Tab {
  /** Runs an expression, which may be a promise, and answers what it comes to. Throws what it throws. */
  run <T = any> (expression: string): Promise<T>
  offline (is: boolean): Promise<void>
  close (): Promise<void>
  /** Its process ends without a farewell. */
  crash (): Promise<void>
}

export interface Browser {
  open (url: string): Promise<Tab>
  /** All its processes stand still, as when a machine sleeps; or go on. */
  freeze (): void
  thaw (): void
  stop (): Promise<void>
}

export async function startChromium (): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'channel-relay-chromium-'))
  const child = spawn(chromium!, ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'], {
    detached: true, // a group of its own, which can be stopped
    stdio: ['ignore', 'ignore', 'pipe']
  })
  const killWithUs = () => { process.kill(-child.pid!, 'SIGKILL') }
  process.once('exit', killWithUs)
  const address = await new Promise<string>((resolve, reject) => {
    createInterface(child.stderr).on('line', line => {
      const found = /^DevTools listening on (ws:\S+)/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
    child.once('close', () => reject(new Error('Chromium ended')))
  })

  const socket = new WebSocket(address)
  await once(socket, 'open')
  const waiting = new Map<number, PromiseWithResolvers<any>>()
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(String(data))
    if (error === undefined) waiting.get(id)?.resolve(result)
    else waiting.get(id)?.reject(new Error(error.message))
  })
  let last = 0
  const call = async (method: string, params: object = {}, sessionId?: string) => {
    const answer = Promise.withResolvers<any>()
    waiting.set(++last, answer)
    socket.send(JSON.stringify({ id: last, method, params, sessionId }))
    return await answer.promise
  }

  return {
    async open (url) {
      const { targetId } = await call('Target.createTarget', { url })
      const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true })
      await call('Network.enable', {}, sessionId)
      const tab: Tab = {
        async run (expression) {
          const { result, exceptionDetails } = await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, sessionId)
          if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
          return result.value
        },
        offline: async offline => await call('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 }, sessionId),
        close: async () => { await call('Target.closeTarget', { targetId }) },
        crash: async () => { call('Page.crash', {}, sessionId).catch(() => {}) } // which has no answer
      }
      while (await tab.run('location.href + document.readyState').catch(() => '') !== `${url}complete`);
      return tab
    },
    freeze: () => { process.kill(-child.pid!, 'SIGSTOP') },
    thaw: () => { process.kill(-child.pid!, 'SIGCONT') },
    async stop () {
      const ended = once(child, 'close')
      await Promise.race([call('Browser.close').catch(() => {}), ended])
      await ended
      process.off('exit', killWithUs)
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}
