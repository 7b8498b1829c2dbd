/** A client made from openapi.yaml alone, each of whose answers is held to what the document declares for it. */
import createClient, { type Client, type Middleware } from 'openapi-fetch'
import { expect } from 'vitest'
import type { paths } from './api.d.ts'
import { compilerOf, operationsOf, responseOf, type Document } from './document.ts'

export interface Checked {
  /** A client that sends these headers. */
  as (headers: Record<string, string>): Client<paths>
  /** `GET /v1/users 200`: the answers that were had and checked. */
  answers: Set<string>
}

export function checkedClients (url: string, document: Document): Checked {
  const compile = compilerOf(document, true)
  const operations = new Map(operationsOf(document))
  const answers = new Set<string>()

  const check: Middleware = {
    async onResponse ({ request, response, schemaPath }) {
      const name = `${request.method} ${schemaPath}`
      const told = responseOf(document, operations.get(name)!, String(response.status))
      expect(told, `${name} is not said to answer ${response.status}`).toBeDefined()
      answers.add(`${name} ${response.status}`)

      for (const [header, { schema }] of Object.entries(told!.headers ?? {})) {
        const value = response.headers.get(header)
        if (['Preference-Applied', 'Link'].includes(header) && value === null) continue
        const { type } = schema as { type: string }
        expect(compile(schema!)(type === 'integer' ? Number(value ?? NaN) : value), `${name} ${header}: ${value}`).toBe(true)
      }

      const type = response.headers.get('content-type')?.split(';')[0]
      expect(Object.keys(told!.content ?? {}), name).toEqual(type === undefined ? [] : [type])
      if (type !== 'application/json') return
      const validate = compile(told!.content![type]!.schema!)
      const body = await response.clone().json() as { errorCode?: string, error_code?: string }
      // The other name of it, which the document leaves to a sentence (src/http/document-shape.ts).
      if (response.status >= 400) expect(body.error_code).toBe(body.errorCode)
      validate(body)
      expect(validate.errors, `${name} ${response.status} answered ${JSON.stringify(body)}`).toBeNull()
    }
  }

  return {
    answers,
    as (headers) {
      const client = createClient<paths>({ baseUrl: url, headers })
      client.use(check)
      return client
    }
  }
}
