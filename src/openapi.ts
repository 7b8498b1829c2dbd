/** Prints the OpenAPI document, as YAML: `npm run openapi` keeps openapi.yaml what the code says. */
import { buildApp } from './app.ts'
import type { Store } from './store/contract/store.ts'

/** The document is made from the routes alone: nothing behind them is ever called. */
const absent = (): never => { throw new Error('there is nothing behind this app: it is for its document only') }

const app = await buildApp({
  applicationId: '',
  store: new Proxy({}, { get: () => absent }) as Store,
  authenticate: absent,
  identify: absent,
  tokens: { issueUserToken: absent, issueEventToken: absent },
  streams: { attach: absent, drain: async () => {}, count: 0, closedFor: undefined },
  corsOrigins: [],
  logger: false
})
await app.ready()
process.stdout.write(app.swagger({ yaml: true }))
await app.close()
