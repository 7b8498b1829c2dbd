import { programSuite } from '../../model/suite.ts'
import { programs } from './programs.ts'
import { runProgram } from './run.ts'

/**
 * Registers the test of so many programs.
 * @param limitMs what takes longer has failed
 * @param thorough each program is replayed from each cursor, not only one that fails
 */
export function accessModelSuite (many: number, limitMs: number, thorough = false): void {
  programSuite('with access control lists, answers, lists, every stream and every replay are as the model says', programs,
    (stage, program, fails) => runProgram(stage, program, thorough || fails), many, limitMs)
}
