/** Values as PostgreSQL reads them. */

export type Parameter = string | number | null

/** An array, for one parameter: PostgreSQL's text for it. A bulk of rows is an array for each of its columns. */
export function arrayOf (values: readonly Parameter[]): string {
  return `{${values.map(elementOf).join()}}`
}

function elementOf (value: Parameter): string {
  if (value === null) return 'NULL'
  return typeof value === 'number' ? String(value) : `"${value.replace(/["\\]/g, '\\$&')}"`
}

/** Free text in a column that is compared, and never shown: as within JSON, because no text of PostgreSQL can hold NUL. */
export const escaped = (text: string): string => JSON.stringify(text).slice(1, -1)

/** The largest number that we keep, in the place of no bound. */
export const finite = (number: number): number => Math.min(number, Number.MAX_SAFE_INTEGER)
