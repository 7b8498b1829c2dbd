import { describe } from 'vitest'
import { useStage } from '../stage.ts'
import { muteOrUnmute } from './mute-and-unmute.ts'

useStage()
describe('mute', () => muteOrUnmute('mute'))
