/** What a process that has started tells whoever started it. */
import { join, resolve } from 'node:path'
import { name, version } from './package.ts'
import type { Settings } from './settings.ts'

/** Where this machine reaches the service. */
export function urlOf (host: string, port: number): string {
  const own: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }
  return `http://${own[host] ?? (host.includes(':') ? `[${host}]` : host)}:${port}`
}

/** Three commands that work as they are in any other terminal, in the project's directory, and again. */
export function banner (url: string, { dataDir, databaseUrl }: Settings): string {
  const project = resolve(import.meta.dirname, '..')
  const data = databaseUrl !== undefined || dataDir === join(project, 'data') ? '' : `DATA_DIR='${dataDir.replaceAll("'", "'\\''")}' `
  const token = `${data}npm run -s token -- alice`
  const post = `curl -s -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' ${url}/v1/channels`
  const channel = '{"channelId":"first-channel","defaultRuleSet":"io.mitter.ruleset.chats.GroupChat","groupType":"public"}'
  const environment = ['DATABASE_URL', 'APPLICATION_ID', 'ACCESS_KEY', 'ACCESS_SECRET', 'TOKEN_SECRET'].filter((name) => process.env[name])
  const note = environment.length === 0 ? '' : `\n  They need the same ${environment.join(', ')} in their environment as this process.\n`
  return `
  ${name} ${version} listens on ${url}
  In other terminals, in the project's directory:
${note}
  # a token for alice
  ${token}

  # watch what reaches alice
  curl -N -H "Authorization: Bearer $(${token})" ${url}/v1/users/me/events

  # send: makes the channel if it is not there
  TOKEN=$(${token}); ${post} -d '${channel}' -o /dev/null; ${post}/first-channel/messages -w '\\n' -d '{"textPayload":"Hello"}'

`
}
