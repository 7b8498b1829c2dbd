/** What the OpenAPI document says beside the routes. */
import type { SwaggerOptions } from '@fastify/swagger'
import manifest from '../../package.json' with { type: 'json' }

export const documentOptions: SwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: { title: manifest.name, version: manifest.version, description: manifest.description, license: { name: manifest.license, identifier: manifest.license } },
    servers: [{ url: 'http://127.0.0.1:11902', description: 'A service on this machine, as npm start starts it' }],
    tags: [
      { name: 'users', description: 'Who may call, and in whose name messages are sent' },
      { name: 'tokens', description: 'With what users call' },
      { name: 'channels', description: 'Where messages go' },
      { name: 'participants', description: 'Who is in a channel, and what it may do there' },
      { name: 'messages', description: 'What is sent' },
      { name: 'timelines', description: 'What happened to channels and messages, and when' },
      { name: 'events', description: 'Live, resumable streams of what happens' },
      { name: 'meta', description: 'About the service' }
    ],
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A user token: calls as that user' },
        userToken: { type: 'apiKey', in: 'header', name: 'X-Issued-Mitter-User-Authorization', description: 'The same, under the header that mitter\'s SDKs send' },
        basic: { type: 'http', scheme: 'basic', description: 'The access key and its secret: calls as the application' },
        eventToken: { type: 'apiKey', in: 'query', name: 'access_token', description: 'An event token: receives as that user, on event streams only' }
      }
    }
  },
  // A copy without shared parts, which YAML would write as anchors and aliases.
  transformObject: document => JSON.parse(JSON.stringify('openapiObject' in document ? document.openapiObject : {})),
  refResolver: {
    // Components are named as in the code, not def-0, def-1.
    buildLocalReference: (json, _baseUri, _fragment, index) => typeof json.$id === 'string' ? json.$id.replace(/#$/, '') : `def-${index}`
  }
}
