/** Whether an answer is a refusal as the contract has it (protocol 1, rule 6, and the error codes). */

/** Statuses of each code that bad input may get. 501, 5xx and what has no place here are missing on purpose. */
const statusesOf: Record<string, number[]> = {
  entity_not_found: [404],
  duplicate_entity: [409],
  missing_privilege: [403],
  missing_context: [400],
  invalid_domain_attribute: [400],
  invalid_input_syntax: [400],
  bad_request: [400, 408],
  channel_ruleset_violation: [400, 409],
  claim_rejected: [401],
  limit_exceeded: [413, 429, 431],
  method_not_allowed: [405],
  uri_too_long: [414],
  unsupported_media_type: [415]
}

const KEYS = ['error', 'message', 'errorCode', 'error_code', 'reason', 'instanceId', 'diagnostics', 'timestamp']

/** Longest message: it may repeat a piece of the input, but not all of it. */
const LONGEST_MESSAGE = 600

/** What is wrong with an answer that is to be a refusal with one of these statuses; undefined: nothing. */
export function faultOf (answer: { status: number, headers: Record<string, unknown>, body: string }, statuses: number[]): string | undefined {
  const { status, headers, body } = answer
  if (!statuses.includes(status)) return `${status}, not ${statuses.join(' or ')}: ${body.slice(0, 200)}`
  if (headers['content-type'] !== 'application/json; charset=utf-8') return `content-type ${String(headers['content-type'])}`
  let envelope: Record<string, unknown>
  try {
    envelope = JSON.parse(body)
  } catch {
    return `no JSON: ${body.slice(0, 200)}`
  }
  const { error, message, errorCode, error_code: same, instanceId, timestamp } = envelope
  const texts = [error, message, errorCode, instanceId]
  if (!texts.every(text => typeof text === 'string' && text !== '') || same !== errorCode || Math.abs(Date.now() - Number(timestamp)) > 60_000) return `no envelope: ${body}`
  if (!Object.keys(envelope).every(key => KEYS.includes(key)) || Object.values(envelope).includes(null)) return `another envelope: ${body}`
  if (!statusesOf[errorCode as string]?.includes(status)) return `${String(errorCode)} with ${status}`
  if ((message as string).length > LONGEST_MESSAGE) return `a message of ${(message as string).length} characters`
  if (errorCode === 'invalid_domain_attribute' && typeof (envelope.diagnostics as { field?: unknown } | undefined)?.field !== 'string') return `no diagnostics.field: ${body}`
  return undefined
}
