/** What the service answers to a step that succeeds, compared with the model. */
import { expect } from 'vitest'
import { compareAnswer as comparePlainAnswer, mustNameNobody } from '../../model/answers.ts'
import { eventGist, happeningOf, saidGist, saidOf } from '../../model/gists.ts'
import { callingAt } from '../../model/history.ts'
import { messageLine as plainMessageLine, timelineLines } from '../../model/state.ts'
import type { Step as PlainStep } from '../../relay/steps.ts'
import type { Answer, World } from '../../relay/world.ts'
import { compareAccess } from './explained.ts'
import { listsGist, listsOf, shownGist, type Lists } from './lists.ts'
import { inForce } from './rights.ts'
import { readingRefused } from './refusals.ts'
import { listsAt, messageIn, readable, recipients, type Message, type State } from './state.ts'
import type { Step } from './steps.ts'

const callingNow = ({ history }: State) => callingAt(history, history.length)
const line = (state: State, lists: Lists): string => listsGist(lists, callingNow(state))
export const messageLine = (state: State, message: Message): string => plainMessageLine(state, message) + line(state, listsAt(message))

/** A Message as the service has it, in the same line. */
export function shownMessage (world: World, message: any): string {
  const name = (id: string) => world.name(id)
  return `${name(message.messageId)} ${saidGist(saidOf(message, name))}${shownGist(message, name(message.channelId.identifier), name)}`
}

/** @param before the member that the step changes, as it was: `memberLine` */
export function compareAnswer (world: World, state: State, step: Step, answer: Answer, before: string | undefined): void {
  const { body, status } = answer
  const what = JSON.stringify(step)
  const name = (id: string) => world.name(id)
  const channel = 'channel' in step ? state.channels.get(step.channel)! : undefined
  switch (step.do) {
    case 'send':
    case 'edit': {
      const message = messageIn(state, channel!, step.message!)!
      expect(shownMessage(world, body), what).toBe(messageLine(state, message))
      if (step.do === 'send') expect(body.relay.recipientsCount, what).toBe(recipients(state, message))
      break
    }
    case 'get message':
      expect(shownMessage(world, body), what).toBe(messageLine(state, state.messages.get(step.message)!))
      break
    case 'list messages':
      expect(body.map((one: any) => shownMessage(world, one)).reverse(), what).toEqual(readable(state, channel!, step.by).map(one => messageLine(state, one)))
      break
    case 'get channel': {
      expect(shownGist(body, step.channel, name), what).toBe(line(state, listsAt(channel!)))
      const reads = readingRefused(state, channel!, step.by) === undefined
      expect(body.timelineEvents.map((one: any) => eventGist(happeningOf(one, name))), what).toEqual(reads ? timelineLines(state, channel!.began) : [])
      break
    }
    case 'get channel lists': {
      const own = listsAt(channel!)
      const shown = (lists: object) => line(state, listsOf(lists, step.channel, name))
      expect(shown(body.appliedAcls), what).toBe(line(state, own))
      expect(shown(body.inForce), what).toBe(line(state, inForce(own)))
      break
    }
    case 'get message lists':
      expect(line(state, listsOf(body.appliedAcls, step.channel, name)), what).toBe(line(state, listsAt(state.messages.get(step.message)!)))
      break
    case 'get access':
      compareAccess(world, state, step, body)
      break
    case 'patch channel':
    case 'patch message':
    case 'create':
      break
    default: return comparePlainAnswer(world, state, step as PlainStep, answer, before)
  }
  if (status === 200) mustNameNobody(world, state, body, what)
}
