/** What pages listen with: scripts that are given `API`, `token` and a `console` to tell texts to. */
import { blocksOf } from '../docs/blocks.ts'

export interface PageClient {
  name: string
  /** The body of an asynchronous function of `API`, `token` and `console`. */
  script: string
  /** It goes on after whatever end. */
  survives: boolean
}

/** The README's own text. */
function snippet (): string {
  const found = blocksOf('README.md').find(({ language, text }) => language === 'js' && text.includes('new EventSource('))
  if (found === undefined) throw new Error('README.md has no snippet of an EventSource')
  return found.text
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

const ofModule: PageClient = {
  name: 'clients/browser',
  survives: true,
  script: `
    const { subscribe } = await import(API + '/client.js')
    subscribe({ url: API, token, onEvent: ({ type, data }) => { if (type === 'message') console.log(data.text) } })`
}

export const pageClients: PageClient[] = [bare, ofReadme, ofModule]
