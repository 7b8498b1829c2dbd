/** Fenced blocks of the documents. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectDir } from '../support/process.ts'

/** A fenced block of a document. */
export interface Block {
  language: string
  text: string
  /** Of its first line of text. */
  line: number
  /** The headings that it stands under, the last one first. */
  heading: string
}

export function blocksOf (file: string): Block[] {
  const blocks: Block[] = []
  let heading = ''
  let open: Block | undefined
  readFileSync(join(projectDir, file), 'utf8').split('\n').forEach((line, index) => {
    const fence = /^```(\w*)$/.exec(line)
    if (open === undefined) {
      if (fence !== null) open = { language: fence[1]!, text: '', line: index + 2, heading }
      else if (line.startsWith('#')) heading = line.replace(/^#+ /, '')
    } else if (fence === null) open.text += `${line}\n`
    else {
      blocks.push(open)
      open = undefined
    }
  })
  return blocks
}
