/** Whether the service lives and can answer (protocol 9). */
import { Type, type Static } from 'typebox'

export const Health = Type.Object({
  status: Type.Literal('ok', { description: 'Always ok: anything else is an error', examples: ['ok'] })
}, { $id: 'Health', description: 'The service is well', examples: [{ status: 'ok' }] })
export type Health = Static<typeof Health>
