import { describe } from 'vitest'
import { useStage } from '../stage.ts'
import { acceptOrReject } from './accept-and-reject.ts'

useStage()
describe('accept', () => acceptOrReject('accept'))
