/** What the service answers to a step that succeeds, compared with the model. */
import { expect } from 'vitest'
import { SYSTEM, type Step } from '../relay/steps.ts'
import { receiving } from '../relay/tables.ts'
import type { Answer, World } from '../relay/world.ts'
import { eventGist, happeningOf, saidGist, saidOf } from './gists.ts'
import {
  briefLines, memberLine, memberLines, messageIn, messageLine, messagesIn, messageTimelineLines, recipients, standing, timelineLines, type State
} from './state.ts'

/** @param before the member that the step changes, as it was: `memberLine` */
export function compareAnswer (world: World, state: State, step: Step, { body, headers, status }: Answer, before: string | undefined): void {
  const name = (id: string) => world.name(id)
  const message = (one: any) => `${name(one.messageId)} ${saidGist(saidOf(one, name))}`
  const event = (one: any) => eventGist(happeningOf(one, name))
  const channel = 'channel' in step ? state.channels.get(step.channel)! : undefined
  const what = JSON.stringify(step)
  switch (step.do) {
    case 'send':
    case 'edit':
      if (step.do === 'send') expect(body.relay.recipientsCount, what).toBe(recipients(channel!))
      expect(message(body), what).toBe(messageLine(state, messageIn(state, channel!, step.message!)!))
      break
    case 'join':
    case 'add':
      expect(headers['x-relay-status'], what).toBe(channel!.members.get(step.do === 'add' ? step.user : step.by)!.status)
      break
    case 'set status':
    case 'set roles':
      expect([body.oldChannelParticipation, body.newChannelParticipation].map(one => world.member(one)), what)
        .toEqual([before, memberLine(state, channel!, step.user)])
      break
    case 'get channel': {
      const reads = receiving[standing(channel!, step.by)] === undefined
      expect(body.timelineEvents.map(event), what).toEqual(reads ? timelineLines(state, channel!.began) : [])
      break
    }
    case 'list participants':
      expect(body.map((one: any) => world.member(one)).sort(), what).toEqual(memberLines(state, channel!, ['active']))
      break
    case 'list messages':
      expect(body.map(message).reverse(), what).toEqual(messagesIn(state, channel!).map(one => messageLine(state, one)))
      expect(headers['x-mitter-paginated-estimated-count'], what).toBe(String(messagesIn(state, channel!).length))
      break
    case 'list channel events':
      expect(body.map((one: any) => event(one.timelineEvent)), what).toEqual(timelineLines(state, [...channel!.began, ...channel!.added]))
      break
    case 'list message events':
      expect(body.map((one: any) => `${name(one.messageId.identifier)} ${event(one.timelineEvent)}`), what)
        .toEqual(step.messages.flatMap(one => messageTimelineLines(state, messageIn(state, channel!, one)!)))
      break
    case 'get message':
      expect(message(body), what).toBe(messageLine(state, state.messages.get(step.message)!))
  }
  if (status === 200) mustNameNobody(world, state, body, what)
}

/** Whoever is deleted is named nowhere. */
export function mustNameNobody (world: World, { deleted }: State, body: unknown, what: string): void {
  const text = JSON.stringify(body)
  for (const user of deleted) expect(text, what).not.toContain(`"${world.id(user)}"`)
}

/** Who is in each channel of these names, and what was said there, as `.system` sees them. */
export async function compareChannels (world: World, state: State, names: string[]): Promise<void> {
  for (const name of names) {
    const channel = state.channels.get(name)
    expect(await world.members(name), `members of ${name}`).toEqual(channel && memberLines(state, channel))
    if (channel === undefined) continue
    const step: Step = { do: 'list messages', by: SYSTEM, channel: name }
    compareAnswer(world, state, step, await world.take(step), undefined)
    const brief = await world.call(SYSTEM, 'GET', `/v1/channels/${world.id(name)}/participants?relayStatus=active,pending,muted,disabled&expandParticipants=false`)
    expect(brief.body.map((one: any) => `${world.name(one.participantId.identifier)} ${one.participationStatus}`).sort()).toEqual(briefLines(state, channel))
    mustNameNobody(world, state, brief.body, `participants of ${name}`)
  }
}
