import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

const long = process.env.LONG !== undefined

// Compiled code is kept: a run starts more than a hundred services, each of which would compile the same again.
process.env.NODE_COMPILE_CACHE ??= resolve('node_modules/.cache/compiled')

/** Where reads that take time have shown most; the other scenarios run so with the long tests. */
const delayed = [
  'test/model/**/*.test.ts', 'test/access/{model/**/*,race}.test.ts', long ? 'test/stream/**/*.test.ts' : 'test/stream/!(streams).test.ts',
  long ? 'test/relay/**/*.test.ts' : 'test/relay/{concurrency,scenarios/{order-and-load,connections}}.test.ts'
]

/** Suites that hold for every store, again on PostgreSQL: those that look into files of the embedded one, or fake the time of connections, are not among them. */
const onPostgres = long
  ? ['test/{http,relay,access,model,stream}/**/*.test.ts', 'test/auth/{authenticate,tokens,signature-replays}.test.ts']
  : ['test/http/rules/**/*.test.ts', 'test/stream/{compact,going-live}.test.ts', 'test/relay/scenarios/order-and-load.test.ts']

/** What leaves nothing open, and so can share a process with others. Long tests have more of the machine each. */
const alike = [
  long ? 'test/{auth,docs,http,openapi,store}/**/*.test.ts' : '{test,clients}/!(access|bench|clients-generated|docker|schemathesis)/**/*.test.ts',
  'test/access/!(race).test.ts'
]

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'plain', include: ['{test,clients}/**/*.test.ts'], exclude: alike } },
      // One after the other in the same process, where nothing is left open: half of their time would go into starting.
      { extends: true, test: { name: 'alike', include: alike, isolate: false } },
      // Again where reads take time and others write all the while (test/support/stores.ts), but for the matrix, of
      // which each cell is one call after the other: there is nothing that could be stale.
      {
        extends: true,
        test: {
          name: 'delayed', include: delayed, exclude: ['test/relay/matrix.test.ts'], env: { READS: 'delayed' }
        }
      },
      { extends: true, test: { name: 'postgres', include: onPostgres, exclude: ['**/*.long.test.ts'], env: { STORE: 'postgres' }, isolate: false } }
    ],
    exclude: ['**/node_modules/**', ...(long ? [] : ['**/*.long.test.ts'])],
    // Processes of their own: what a test leaves open cannot reach the next one.
    pool: 'forks',
    globalSetup: 'test/support/shared-postgres.ts',
    // More than two cores: many tests wait for a time-out, a process, a disk.
    maxWorkers: 3,
    testTimeout: long ? 600_000 : 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 5000,
    // A rejection that nobody handles fails the run, and so does a test marked .only.
    dangerouslyIgnoreUnhandledErrors: false,
    allowOnly: false
  }
})
