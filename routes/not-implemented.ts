/** What the contract has and the service does not have yet: 501, never a pretence. */
import type { FastifyPluginAsync, HTTPMethods } from 'fastify'
import { refuse } from '../src/errors.ts'

/** As docs/protocol.md, section 10, lists them. */
export const notThereYet: Array<[methods: HTTPMethods | HTTPMethods[], url: string, what: string]> = [
  ['GET', '/metrics', 'The page of metrics'],

  // What else mitter's SDKs call. As 501 they cannot be taken for a user or a message that is missing.
  ['GET', '/v1/messages', 'Finding messages'],
  ['GET', '/v1/counts/*', 'Counting'],
  [['GET', 'POST'], '/v1/open-connect/*', 'Counting and flagging'],
  [['GET', 'POST'], '/v1/users/:userId/presence', 'Presence'],
  [['GET', 'POST'], '/v1/users/:userId/profile', 'The profile of a user'],
  [['GET', 'POST'], '/v1/users/:userId/profile/:keys', 'The profile of a user'],
  [['GET', 'POST'], '/v1/channels/:channelId/profile', 'The profile of a channel'],
  [['GET', 'POST'], '/v1/channels/:channelId/profile/:keys', 'The profile of a channel'],
  [['GET', 'POST'], '/v1/attribute-def/*', 'Definitions of attributes'],
  [['GET', 'POST'], '/v1/users/:userId/metadata', 'Metadata of a user'],
  [['GET', 'POST'], '/v1/channels/:channelId/metadata', 'Metadata of a channel'],
  [['GET', 'POST'], '/v1/messages/:messageId/metadata', 'Metadata of a message'],
  ['GET', '/v1/users/:userId/metadata/:key', 'Metadata of a user'],
  ['GET', '/v1/channels/:channelId/metadata/:key', 'Metadata of a channel'],
  ['GET', '/v1/messages/:messageId/metadata/:key', 'Metadata of a message'],
  ['POST', '/v1/users/:userId/locators', 'Adding locators'],
  [['GET', 'PUT'], '/v1/users/:userId/screenname', 'Screen names by themselves'],
  ['POST', '/v1/channels/:channelId/streams', 'Streams of objects within a channel'],
  [['GET', 'POST'], '/v1/channels/:channelId/streams/:streamId', 'Streams of objects within a channel'],
  ['POST', '/v1/delivery-targets', 'Delivery targets'],
  [['GET', 'POST', 'DELETE'], '/v1/delivery-targets/*', 'Delivery targets'],
  [['GET', 'POST'], '/v1/users/:userId/delivery-endpoints', 'Delivery endpoints'],
  ['DELETE', '/v1/users/:userId/delivery-endpoints/:endpoint', 'Delivery endpoints']
]

export const notImplemented: FastifyPluginAsync = async (app) => {
  for (const [method, url, what] of notThereYet) {
    app.route({ method, url, schema: { hide: true }, handler: async () => { throw refuse('notImplemented', what) } })
  }
}
