/** What pages listen with: scripts that are given `API`, `token` and a `console` to tell texts to. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectDir } from '../support/process.ts'

export interface PageClient {
  name: string
  /** The body of an asynchronous function of `API`, `token`, `console` and `MODULE`, the URL of clients/browser. */
  script: string
  /** It goes on after whatever end. */
  survives: boolean
}

/** The README's own text. */
function snippet (): string {
  const text = readFileSync(join(projectDir, 'README.md'), 'utf8')
  const found = /^Or by an `EventSource`.*?^```js\n(.*?)^```/ms.exec(text)?.[1]
  if (found === undefined) throw new Error('README.md has no snippet of an EventSource')
  return found
}

/** An `EventSource`, and nothing that watches over it. */
export const bare: PageClient = {
  name: 'bare EventSource',
  survives: false,
  script: `
    const headers = { Authorization: 'Bearer ' + token }
    const { eventToken } = await (await fetch(API + '/v1/users/me/event-tokens', { method: 'POST', headers })).json()
    const events = new EventSource(API + '/v1/users/me/events?access_token=' + eventToken)
    events.onmessage = ({ data }) => console.log(JSON.parse(data).message.textPayload)`
}

export const ofReadme: PageClient = { name: "README's snippet", survives: true, script: snippet() }

export const moduleFile = join(projectDir, 'clients/browser/client.js')

const ofModule: PageClient = {
  name: 'clients/browser',
  survives: true,
  script: `
    const { subscribe } = await import(MODULE)
    subscribe({ url: API, token, onEvent: ({ type, data }) => { if (type === 'message') console.log(data.text) } })`
}

export const pageClients: PageClient[] = [bare, ofReadme, ...(existsSync(moduleFile) ? [ofModule] : [])]
