/** The recipes of docs/access.md as the calls that stand there: what is written and what is tested cannot differ. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

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

const text = readFileSync(join(import.meta.dirname, '../../docs/access.md'), 'utf8')
const sections = text.split('\n## Recipes\n')[1]!.split('\n### ').slice(1)

export const recipes = sections.map(section => section.slice(0, section.indexOf('\n')))

/** The calls of a recipe, in order. */
export function callsOf (recipe: string): RecipeCall[] {
  const section = sections.find(section => section.startsWith(`${recipe}\n`))
  if (section === undefined) throw new Error(`docs/access.md has no recipe ${JSON.stringify(recipe)}`)
  const calls: RecipeCall[] = []
  for (const [, language, block] of section.matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
    if (language === 'sh') calls.push(...commandsIn(block!).map(callOf))
    else if (language === 'json') calls.at(-1)!.answer = JSON.parse(block!)
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
