/**
 * Writes what openapi.yaml says as types for a client, so that tsc holds client.test.ts to the document.
 * Not kept in git: made before every run of tsc.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString } from 'openapi-typescript'

const root = new URL('../../', import.meta.url)
const types = astToString(await openapiTS(readFileSync(new URL('openapi.yaml', root), 'utf8')))
writeFileSync(new URL('test/openapi/api.d.ts', root), `/* eslint-disable */\n${types}`)
