/** What everybody reads by GET when a program has ended: lists of messages, page by page, single messages, and what it may do. */
import { expect } from 'vitest'
import { compareChannels } from '../../model/answers.ts'
import { SYSTEM } from '../../relay/steps.ts'
import type { Answer, World } from '../../relay/world.ts'
import { compareAnswer, messageLine, shownMessage } from './answers.ts'
import { channelPrivileges, messagePrivileges } from './lists.ts'
import { agreesWith, readingRefused } from './refusals.ts'
import { take } from './model.ts'
import { readable, type Channel, type State } from './state.ts'
import { callOfListed, type Step } from './steps.ts'

export async function compareEverywhere (world: World, state: State, channels: string[], users: string[]): Promise<void> {
  await compareChannels(world, state, channels)
  const living = users.filter(user => !state.deleted.has(user))
  const found = channels.flatMap(name => state.channels.get(name) ?? [])
  await Promise.all(found.flatMap((channel, nth) => living.map((user, index) => comparePages(world, state, channel, user, 1 + (nth + index) % 5))))
  for (const step of questions(state, found, living)) {
    const expected = take(state, step)
    const { method, path, body } = callOfListed(step, name => world.id(name))
    const answer = await world.call(step.by, method, path, body)
    expect(agreesWith(expected, answer), `${JSON.stringify(step)} by the model: ${expected}; ${answer.said}`).toBe(true)
    if (answer.status === 200) compareAnswer(world, state, step, answer, undefined)
  }
}

/** A list that somebody reads page by page, from its newest message on or from its oldest. */
async function comparePages (world: World, state: State, channel: Channel, user: string, limit: number): Promise<void> {
  const refused = readingRefused(state, channel, user)
  const what = `what ${user} reads in ${channel.name}, ${limit} a page`
  const lines: string[] = []
  for (let path: string | undefined = `/v1/channels/${world.id(channel.name)}/messages?limit=${limit}`; path !== undefined;) {
    const answer: Answer = await world.call(user, 'GET', path)
    if (refused !== undefined) return expect(agreesWith(refused, answer), `${what}: ${answer.said} and not ${refused}`).toBe(true)
    expect(answer.said, what).toBe('200')
    expect(answer.body.length, what).toBeLessThanOrEqual(limit)
    lines.push(...answer.body.map((one: any) => shownMessage(world, one)))
    path = /<([^>]+)>; rel="next"/.exec(String(answer.headers.link ?? ''))?.[1]
  }
  expect(lines.reverse(), what).toEqual(readable(state, channel, user).map(message => messageLine(state, message)))
}

/** Of each channel and each message something by somebody, another in each program. */
function questions (state: State, channels: Channel[], users: string[]): Step[] {
  const turn = state.history.length
  const somebody = (nth: number) => users[(turn + nth) % users.length] ?? SYSTEM
  const ofChannels = channels.flatMap((channel, nth): Step[] => [0, 1, 2].map(more => ({
    do: 'get access', by: SYSTEM, user: somebody(nth + more), channel: channel.name, privilege: channelPrivileges[(turn + 5 * nth + 3 * more) % channelPrivileges.length]!
  })))
  const ofMessages = [...state.messages.values()].flatMap((message, nth): Step[] => {
    const { name, channel, goneAt } = message
    const get: Step[] = [{ do: 'get message', by: somebody(nth), message: name }, { do: 'get message', by: somebody(nth + 2), message: name }]
    const ask: Step = { do: 'get access', by: SYSTEM, user: somebody(nth), channel: channel.name, privilege: messagePrivileges[(turn + nth) % messagePrivileges.length]!, message: name }
    return goneAt === undefined && nth % 3 === 0 ? [...get, ask] : get
  })
  return [...ofChannels, ...ofMessages]
}
