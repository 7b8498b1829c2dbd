/** The document generates clients for Go and Java that compile, and work. */
import { it } from 'vitest'
import { missing, output } from './commands.ts'
import { document, mustWalk } from './walk.ts'

const OAPI_CODEGEN = 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2'

const noGo = missing('install Go 1.26 or newer', ['go', ['env', 'GOVERSION'], /^go1\.(?:2[6-9]|[3-9]\d)/])

it.skipIf(noGo !== undefined)('Go, by oapi-codegen', async () => {
  await mustWalk('go', async directory => {
    await output('go', ['run', OAPI_CODEGEN, '-generate', 'types,client', '-package', 'relay', '-o', 'relay/relay.go', document], directory)
    await output('go', ['vet', './...'], directory)
    return async env => await output('go', ['run', '.'], directory, env)
  })
})

const noJava = missing('install a JDK of Java 11 or newer, and Maven', ['javac', ['-version']], ['mvn', ['--version']])

it.skipIf(noJava !== undefined)('Java, by openapi-generator', async () => {
  const maven = (goal: string) => ['--quiet', '--batch-mode', `-Ddocument=${document}`, goal]
  await mustWalk('java', async directory => {
    await output('mvn', maven('compile'), directory)
    return async env => await output('mvn', maven('exec:java'), directory, env)
  })
})
