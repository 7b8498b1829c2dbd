/** Whose fault an error of the database is. */

/**
 * Classes and codes of SQLSTATE (postgresql.org/docs/current/errcodes-appendix.html) that say nothing against a command: connections, resources,
 * an operator's intervention, the system, a server that may not be written to, transactions that met others.
 */
const temporary = ['08', '53', '57', '58', 'XX', '25006', '25P03', '40', '55P03', '55P02', '3D000', '28']

/** Whether the database is away, full, or going: nothing that a command could be blamed for. */
export function isUnavailable (err: unknown): boolean {
  const { code } = err as { code?: unknown }
  if (typeof code !== 'string') return false
  // The driver's own, and the system's: CONNECTION_CLOSED, CONNECT_TIMEOUT, ECONNREFUSED.
  if (!/^[0-9A-Z]{5}$/.test(code) || /^E[A-Z]{4}$/.test(code)) return true
  return temporary.some(prefix => code.startsWith(prefix))
}

/** Whether the server will not have us, however long we wait: a wrong password, no such database, or no right to make tables there. */
export function isRefused (err: unknown): boolean {
  return /^(?:28|3D000|42501)/.test(String((err as { code?: unknown }).code))
}
