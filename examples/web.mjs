// A site of one's own beside the service: it has the page, and is the backend that gives each user a token.
//
//   CORS_ORIGINS=http://localhost:8080 npm start
//   node examples/web.mjs        # then http://localhost:8080/?user=alice, and another with ?user=bob
//
// It believes whoever says to be alice. A real one asks its own session who somebody is; the access key stays with it.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const { API = 'http://127.0.0.1:11902', CREDENTIALS = './data/credentials.json', PORT = '8080' } = process.env
const { accessKey, accessSecret } = JSON.parse(readFileSync(CREDENTIALS, 'utf8'))
const CHANNEL = 'web-example'

/** Calls the service as the application. */
async function call (path, body) {
  const response = await fetch(`${API}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${accessKey}:${accessSecret}`).toString('base64')}`, 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  const answer = await response.json().catch(() => ({}))
  // 409: it is there already.
  if (!response.ok && response.status !== 409) throw new Error(`${path}: ${answer.message ?? response.status}`)
  return answer
}

async function tokenFor (userId) {
  await call('users', { userId })
  await call(`channels/${CHANNEL}/participants`, { participantId: userId })
  const { userToken } = await call(`users/${encodeURIComponent(userId)}/tokens`, {})
  return userToken.signedToken
}

await call('channels', { channelId: CHANNEL, defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', groupType: 'public' })

createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  try {
    if (request.method === 'POST' && pathname === '/token') response.end(await tokenFor(searchParams.get('user')))
    else if (pathname === '/settings') response.end(JSON.stringify({ api: API, channel: CHANNEL }))
    else if (pathname === '/') response.setHeader('content-type', 'text/html').end(readFileSync(new URL('page.html', import.meta.url)))
    else response.writeHead(404).end()
  } catch (error) {
    response.writeHead(502).end(error.message)
  }
}).listen(Number(PORT), 'localhost', function () { console.log(`http://localhost:${this.address().port}/?user=alice`) })
