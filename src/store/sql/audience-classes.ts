/** How the table `audiences` says by whom a message is found: numbers that are stored, so never given to another. */
import { readerClasses } from '../../rules/audience.ts'
import type { AudienceRecord } from '../core/records.ts'

const names: Array<AudienceRecord['class']> = ['named', ...readerClasses, 'about']

export const classNumbers = Object.fromEntries(names.map((name, number) => [name, number])) as Record<AudienceRecord['class'], number>
