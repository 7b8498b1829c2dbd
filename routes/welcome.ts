/** What is here, for whoever comes to the address itself (protocol 9). Open to everyone. */
import { createHash } from 'node:crypto'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { name, version } from '../src/package.ts'

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark }
pre { overflow-x: auto; padding: 1rem; border: 1px solid #8888; border-radius: 4px; font-size: 14px }`

/** The page runs nothing, and gets nothing from anywhere. */
const headers = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer'
}

/** The service's address as its caller has it: what a Host may be besides a name and a port is not repeated. */
function addressOf ({ host, headers }: FastifyRequest): string {
  const scheme = headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'
  return `${scheme}://${/^[\w.:[\]-]+$/.test(host) ? host : 'localhost:11902'}`
}

const page = (address: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${name}</title>
<style>${style}</style>
<h1>${name}</h1>
<p>Channels, participants and messages over REST, and event streams that resume where they were cut. This is the service; here is
<a href="docs">every call, to try</a>, the <a href="openapi.yaml">document to generate clients from</a>, and <a href="health">whether it is well</a>.</p>
<h2>First commands</h2>
<p>The access key and its secret are in <code>data/credentials.json</code> of the service, or what it was given as <code>ACCESS_KEY</code> and <code>ACCESS_SECRET</code>.</p>
<pre>API=${address} KEY=… SECRET=…

# two users, and a token for each
for name in alice bob; do curl -s -u "$KEY:$SECRET" -H 'Content-Type: application/json' $API/v1/users -d "{\\"userId\\":\\"$name\\"}" -o /dev/null; done
token() { curl -s -u "$KEY:$SECRET" -X POST $API/v1/users/$1/tokens | sed 's/.*"signedToken":"\\([^"]*\\)".*/\\1/'; }
ALICE=$(token alice) BOB=$(token bob)

# a channel that alice makes, and anyone may join: bob does
curl -s -H "Authorization: Bearer $ALICE" -H 'Content-Type: application/json' $API/v1/channels -o /dev/null \\
  -d '{"channelId":"my-channel","defaultRuleSet":"io.mitter.ruleset.chats.GroupChat","groupType":"public"}'
curl -s -H "Authorization: Bearer $BOB" -H 'Content-Type: application/json' $API/v1/channels/my-channel/participants -d '{"participantId":"bob"}'

# alice sends; bob's stream has it, and whatever comes, until you end it
curl -s -w '\\n' -H "Authorization: Bearer $ALICE" -H 'Content-Type: application/json' $API/v1/channels/my-channel/messages -d '{"textPayload":"Hello"}'
curl -N -H "Authorization: Bearer $BOB" "$API/v1/users/me/events?after=earliest"</pre>
</html>
`

/** It is asked for HTML, and not by `q=0` for anything but that. */
const wantsPage = /text\/html(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i

export const welcome: FastifyPluginAsync = async app => {
  app.get('/', { schema: { hide: true } }, async (request, reply) => {
    reply.headers({ ...headers, vary: [reply.getHeader('vary'), 'accept, host, x-forwarded-proto'].flat().filter(name => name !== undefined).join(', ') })
    if (wantsPage.test(request.headers.accept ?? '')) return await reply.type('text/html; charset=utf-8').send(page(addressOf(request)))
    return { name, version, documentation: '/docs', document: '/openapi.json', health: '/health' }
  })
}
