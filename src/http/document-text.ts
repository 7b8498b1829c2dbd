/** The words of the OpenAPI document that belong to no route: Markdown. */

export const overview = `\
Channels, participants and messages over REST, and event streams that resume where they were cut.

**Ids** have 8 to 72 characters (users: 1 to 72), of A-Z, a-z, 0-9, -, _, @, $ and #, and begin with none of -, _ and $. \
In a path a # is written %23. Where an id is left out, the service makes a UUID. The user \`me\` is whoever calls.

**Times** are milliseconds since the epoch. What is absent is left out of answers, never null; in a request null means absent. \
Unknown fields and parameters are ignored.

**Pages** go on from an entity: \`before\` it, newest first, or \`after\` it, oldest first. A page that is not the last \
has a \`Link\` to the next. \`X-Mitter-Paginated-Estimated-Count\` says how many there are.

**Retries:** a write that is repeated with the same \`Idempotency-Key\` within 24 hours answers what the first one answered.

**Streams:** what is read of channels answers \`X-Event-Cursor\`; a stream opened \`after\` it goes on exactly from what was read. A stream that was cut \
resumes after the id it saw last.

**Errors** of every kind have one shape, ErrorEnvelope. What is wrong before there is an operation has it too: 404 (no such path), \
405 (another method; \`Allow\` names the right ones), 408 (the request took longer than 30 s to arrive), 417 (an \`Expect\` other than \`100-continue\`), 431 (URL and headers larger than 16 KiB, or more than 1,000 headers).`

export const tags = [
  { name: 'users', description: 'Who may call, and in whose name messages are sent' },
  { name: 'tokens', description: 'With what users call' },
  { name: 'channels', description: 'Where messages go' },
  { name: 'participants', description: 'Who is in a channel, and what it may do there' },
  { name: 'messages', description: 'What is sent' },
  { name: 'timelines', description: 'What happened to channels and messages, and when' },
  { name: 'access control', description: 'Who may do what, where the defaults are not enough: lists of the application, of channels and of messages' },
  { name: 'events', description: 'Live, resumable streams of what happens' },
  { name: 'meta', description: 'About the service' }
]

const sudo = 'With `X-Mitter-Sudo-User-Id: <user>` the call is made as that user.'

/** Protocol 2. */
export const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A user token: calls as that user.' },
  userToken: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Issued-Mitter-User-Authorization',
    description: 'A user token, under the header that mitter\'s SDKs send.'
  },
  basic: {
    type: 'http',
    scheme: 'basic',
    description: `The access key and its secret: calls as the application. ${sudo} Not for web pages, \
the service's own /docs apart: refused where the request has an \`Origin\` of others.`
  },
  signature: {
    // Not `http` with a scheme of mitter's own: generators refuse schemes that are not registered.
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: `A signed call as the application, as mitter's SDKs make it. ${sudo}

\`Authorization: Auth <access key>:<digest>\`, together with the headers \`X-Mitter-Application-Access-Key\` (the access key), \`Date\` \
(at most 25 s off), \`Nonce\` (never the same within two minutes) and \`Content-Md5\` (base64 of the MD5 of the body's bytes; without a body, of none). \
The digest is base64 of HMAC-SHA1, keyed with the base64-decoded secret, of six lines with a line feed between them: the method, \
the Content-Type as sent (\`null\` without one), Content-Md5, Date, the path without its query, Nonce.`
  },
  eventToken: {
    type: 'apiKey',
    in: 'query',
    name: 'access_token',
    description: 'An event token: receives as that user, on event streams only, for clients that cannot set headers.'
  }
} as const
