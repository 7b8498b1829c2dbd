/** Questions of one kind that are asked in the same turn go in one statement. */
import { yields, type Sql } from '../sql/dialect.ts'
import { filled } from './dialect.ts'
import { arrayOf, type Parameter } from './parameters.ts'

/** Which question a row answers. */
interface Nth {
  nth: number
}

/**
 * A text that asks for many at once what another asks for one.
 * @param columns what is asked, by name: each an array of numbers, one for each question
 * @param parameters which of these stands where the text has its parameters
 */
export function forMany<Row> (text: Sql<Row>, columns: readonly string[], parameters: readonly string[]): Sql<Row & Nth> {
  const arrays = columns.map(() => 'cast(? as bigint[])').join(', ')
  return yields<Row & Nth>(`select asked.nth, answer.* from unnest(${arrays}) with ordinality asked (${columns.join(', ')}, nth)
    cross join lateral (${filled(text, parameters.map(name => `asked.${name}`))}) answer`)
}

/** @param run runs a text that `forMany` has made */
export function askTogether<Row extends Nth> (run: (parameters: Parameter[]) => Promise<Row[]>): (...asked: number[]) => Promise<Row[]> {
  let waiting: Array<PromiseWithResolvers<Row[]> & { asked: number[] }> = []

  function send (): void {
    const sent = waiting
    waiting = []
    run(sent[0]!.asked.map((_, column) => arrayOf(sent.map(({ asked }) => asked[column]!)))).then(rows => {
      const answers = sent.map((): Row[] => [])
      for (const row of rows) answers[row.nth - 1]!.push(row)
      for (const [index, { resolve }] of sent.entries()) resolve(answers[index]!)
    }, (err: unknown) => { for (const { reject } of sent) reject(err) })
  }

  return (...asked) => {
    // What others ask in this turn, and what follows at once from answers that came together, goes along.
    if (waiting.length === 0) process.nextTick(send)
    const one = { ...Promise.withResolvers<Row[]>(), asked }
    waiting.push(one)
    return one.promise
  }
}
