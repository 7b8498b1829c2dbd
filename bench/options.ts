/** What the command line says. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'

export interface Options {
  /** Names of workloads; undefined: all that the run has. */
  only: string[] | undefined
  peers: string[] | undefined
  quick: boolean
  rounds: number
  /** Of one measurement. */
  seconds: number
  /** Where JSON and chart go. */
  out: string
  list: boolean
}

export const USAGE = `node bench/run.ts [--quick] [--only <workloads>] [--peers <peers>] [--rounds <n>] [--seconds <s>] [--out <directory>]
Names are separated by commas. --list names all of them.`

export function readOptions (args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      peers: { type: 'string' },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      out: { type: 'string' }
    }
  })
  const names = (list: string | undefined): string[] | undefined => list?.split(',').filter(name => name !== '')
  const { quick, list, out } = values
  return {
    only: names(values.only),
    peers: names(values.peers),
    quick,
    list,
    rounds: numberOf('rounds', values.rounds, quick ? 1 : 3),
    seconds: numberOf('seconds', values.seconds, quick ? 0.8 : 1.2),
    out: out ?? join(import.meta.dirname, 'results')
  }
}

function numberOf (name: string, text: string | undefined, otherwise: number): number {
  const number = text === undefined ? otherwise : Number(text)
  if (!(number > 0)) throw new Error(`--${name} is ${JSON.stringify(text)}: it must be a number above 0`)
  return number
}
