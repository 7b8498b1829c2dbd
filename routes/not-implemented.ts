/** What the contract has and the service does not have yet: 501, never a pretence. */
import type { FastifyPluginAsync, HTTPMethods } from 'fastify'
import { refuse } from '../src/errors.ts'

const table: Array<[method: HTTPMethods, url: string, what: string]> = [
  ['GET', '/v1/channels', 'Listing channels'],
  ['GET', '/v1/users/:userId/channels', 'Listing the channels of a user'],
  ['POST', '/v1/channels/:channelId/timeline', 'Adding to the timeline of a channel'],
  ['GET', '/v1/channels/:channelId/timeline', 'Reading the timeline of a channel'],
  ['POST', '/v1/channels/:channelId/messages/:messageIds/timeline', 'Adding to the timeline of messages'],
  ['GET', '/v1/channels/:channelId/messages/:messageIds/timeline', 'Reading the timeline of messages'],
  ['PATCH', '/v1/channels/:channelId/participants/:userId', 'Changing a participation'],
  ['POST', '/v1/channels/:channelId/participants/:userId/accept', 'Accepting who wants to join'],
  ['POST', '/v1/channels/:channelId/participants/:userId/reject', 'Rejecting who wants to join'],
  ['POST', '/v1/channels/:channelId/participants/:userId/mute', 'Muting a participant'],
  ['POST', '/v1/channels/:channelId/participants/:userId/unmute', 'Unmuting a participant'],
  ['GET', '/metrics', 'The page of metrics']
]

export const notImplemented: FastifyPluginAsync = async (app) => {
  for (const [method, url, what] of table) {
    app.route({ method, url, schema: { hide: true }, handler: async () => { throw refuse('notImplemented', what) } })
  }
}
