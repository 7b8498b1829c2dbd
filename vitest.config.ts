import { defineConfig } from 'vitest/config'

const long = process.env.LONG !== undefined

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', ...(long ? [] : ['**/*.long.test.ts'])],
    // Processes of their own: what a test leaves open cannot reach the next one.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: long ? 600_000 : 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 5000,
    // A rejection that nobody handles fails the run, and so does a test marked .only.
    dangerouslyIgnoreUnhandledErrors: false,
    allowOnly: false
  }
})
