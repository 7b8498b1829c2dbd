/** What the service is called, and which version of it this is: to those who start it, and to those who ask. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const { name, version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as { name: string, version: string }
