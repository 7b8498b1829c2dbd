/**
 * The log: readable on a terminal, one JSON object a line elsewhere; never a token or a secret in it.
 * How a request is logged says src/http/log.ts: without its query, where an event token may stand.
 */
import { pino, stdTimeFunctions, type Logger } from 'pino'
import pretty from 'pino-pretty'
import type { Settings } from './settings.ts'

const secretNames = [
  'authorization', '["x-issued-mitter-user-authorization"]', '["x-mitter-application-access-key"]', 'cookie', '["set-cookie"]',
  'access_token', 'signedToken', 'eventToken', 'accessSecret', 'tokenSecret'
]

/** Wherever they usually stand: alone, in headers, in a request, in what a library adds to an error. */
const redacted = ['', 'headers', 'query', 'req.headers', 'req.query', 'request.headers', 'err.headers', '*']
  .flatMap((parent) => secretNames.map((name) => parent === '' ? name : `${parent}${name.startsWith('[') ? '' : '.'}${name}`))

/** Makes the process's logger. Written synchronously, so that the last lines before an end are not lost. */
export function createLogger ({ logLevel }: Pick<Settings, 'logLevel'>, output: NodeJS.WriteStream = process.stdout): Logger {
  const options = {
    level: logLevel,
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths: redacted, censor: '[redacted]' }
  }
  if (!output.isTTY) return pino(options)
  return pino(options, pretty({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', singleLine: true, sync: true }))
}
