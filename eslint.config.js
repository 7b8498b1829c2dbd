import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'

/**
 * Who may import whom: the rooms of the project, and what may enter them. Imports are matched as they
 * are written, so a room is known by its name in a relative path ("../relay/streams.ts").
 */
const inside = (room) => `^\\.{1,2}/(?:.*/)?${room}/`

const noRoutes = { regex: inside('routes'), message: 'src/app.ts alone knows the routes.' }
const noEntry = { regex: '^(?:\\.\\./)+(?:src/)?(?:app|server|token|openapi)\\.ts$', message: 'Nothing imports what puts the parts together.' }
const noRelay = { regex: inside('relay'), message: 'This room does not know the relay.' }
const noHttp = { regex: inside('http'), message: 'src/http is for routes and the app.' }
const noAuth = { regex: inside('auth'), message: 'This room does not know who is calling, only actors.' }
const noStoreInsides = {
  regex: '^\\.{1,2}/(?:.*/)?store/(?!contract/)',
  message: 'The store is known by its contract: src/store/contract.'
}
const noStores = { regex: inside('(?:sqlite|postgres)'), message: 'What every store shares knows none of them: src/store/open.ts does.' }
const pure = {
  regex: '^(?!\\.\\.?/|node:crypto$)|(?:sqlite|postgres|group-commit|upkeep)',
  message: 'What is decided is pure: core imports the contract, rules, errors and schemas.'
}
const noFramework = { regex: '^(?:@?fastify)', message: 'HTTP is spoken in routes, in src/http and in src/app.ts.' }
const noSockets = { regex: '^node:(?:net|tls|dgram|http2|sqlite)$', message: 'Routes know no sockets and no databases.' }

const room = (files, patterns, ignores = []) => ({
  files, ignores, rules: { 'no-restricted-imports': ['error', { patterns }] }
})

export default [
  ...neostandard({ ts: true, ignores: [...resolveIgnoresFromGitignore(), 'test/sdk/node_modules/', 'test/clients-generated/node_modules/'] }),
  // A schema and its type share one name; real redeclarations tsc finds.
  { files: ['**/*.ts'], rules: { '@typescript-eslint/no-redeclare': 'off' } },

  room(['schemas/**'], [{ regex: '^(?!typebox(?:/|$)|\\./)', message: 'Schemas import typebox and other schemas only.' }]),
  room(['src/rules/**'], [{
    regex: '^(?!\\./|\\.\\./errors\\.ts$|\\.\\./\\.\\./schemas/)',
    message: 'Rules are pure: they import errors, schemas and other rules only.'
  }]),
  room(['src/store/**'], [noRoutes, noEntry, noRelay, noHttp, noAuth, noFramework]),
  room(['src/store/contract/**', 'src/store/*.ts'], [noRoutes, noEntry, noRelay, noHttp, noAuth, noFramework, noStores], ['src/store/open.ts']),
  room(['src/store/core/**'], [noRoutes, noEntry, noRelay, noHttp, noAuth, noFramework, pure]),
  room(['src/relay/**'], [noRoutes, noEntry, noHttp, noStoreInsides]),
  room(['src/auth/**'], [noRoutes, noEntry, noRelay, noHttp, noStoreInsides, noFramework]),
  room(['src/http/**'], [noRoutes, noEntry, noRelay, noStoreInsides], ['src/http/event-stream.ts']),
  room(['src/http/event-stream.ts'], [noRoutes, noEntry, noStoreInsides]),
  room(['src/*.ts'], [noRoutes], ['src/app.ts']),
  room(['routes/**'], [noEntry, noStoreInsides, noSockets]),
  room(['clients/*/*.js'], [{ regex: '', message: 'A client is one file, which a browser loads as it is.' }])
]
