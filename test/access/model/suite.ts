import { programSuite } from '../../model/suite.ts'
import { programs } from './programs.ts'
import { runProgram } from './run.ts'

/** Registers the test of so many programs. `limitMs`: what takes longer has failed. */
export function accessModelSuite (many: number, limitMs: number): void {
  programSuite('with access control lists, answers, lists, every stream and every replay are as the model says', programs, runProgram, many, limitMs)
}
