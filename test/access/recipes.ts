/** The recipes of docs/access.md as the calls that stand there: what is written and what is tested cannot differ. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { blocksOf } from '../docs/blocks.ts'
import { projectDir } from '../support/process.ts'

export interface RecipeCall {
  /** As it stands there. */
  text: string
  /** `amy`, `bob` and `eve` are users, `app` is the application. */
  who: string
  method: string
  /** `$APP` stands for the application's id. */
  path: string
  body?: unknown
  /** It goes on until it is ended. */
  stream: boolean
  /** As the comment behind it says: a status, and an error code or a reason. Without one it succeeds. */
  refused?: { status: number, why: string }
  /** What is shown as its answer. */
  answer?: unknown
}

const document = 'docs/access.md'
const text = readFileSync(join(projectDir, document), 'utf8')

export const recipes = text.split('\n## Recipes\n')[1]!.split('\n### ').slice(1).map(section => section.slice(0, section.indexOf('\n')))

/** The calls of a recipe, in order. */
export function callsOf (recipe: string): RecipeCall[] {
  const blocks = blocksOf(document).filter(({ heading }) => heading === recipe)
  if (blocks.length === 0) throw new Error(`${document} has no recipe ${JSON.stringify(recipe)}`)
  const calls: RecipeCall[] = []
  for (const { language, text } of blocks) {
    if (language === 'sh') calls.push(...commandsIn(text).map(callOf))
    else if (language === 'json') calls.at(-1)!.answer = JSON.parse(text)
    else throw new Error(`a recipe has sh and json only: ${language}`)
  }
  return calls
}

/** Commands, each with all lines of its body: one that is begun goes on until its quote is closed. */
function commandsIn (block: string): string[] {
  const commands: string[] = []
  let open = ''
  for (const line of block.trimEnd().split('\n')) {
    open = open === '' ? line : `${open}\n${line}`
    if (open.split('\'').length % 2 === 0) continue
    commands.push(open)
    open = ''
  }
  if (open !== '') throw new Error(`a quote is not closed: ${open}`)
  return commands
}

const command = /^(\w+)( -N)?(?: -X ([A-Z]+))? "?\$API(\/[^\s"]+)"?(?: -d '([^']+)')?(?: +# (\d{3}) (\w+))?$/

function callOf (text: string): RecipeCall {
  const [, who, stream, method, path, body, status, why] = command.exec(text) ?? []
  if (who === undefined || path === undefined) throw new Error(`not a call: ${text}`)
  return {
    text,
    who,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    path,
    stream: stream !== undefined,
    ...(body === undefined ? {} : { body: JSON.parse(body) }),
    ...(status === undefined ? {} : { refused: { status: Number(status), why: why! } })
  }
}
