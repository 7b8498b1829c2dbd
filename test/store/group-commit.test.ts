/** Who waits for a transaction waits for no more than that and its turn, however much others bring (src/store/group-commit.ts). */
import { expect, it } from 'vitest'
import { refuse } from '../../src/errors.ts'
import { SYSTEM, type Actor, type Command } from '../../src/store/contract/commands.ts'
import type { Chore } from '../../src/store/core/chores.ts'
import { GroupCommit, type Committed } from '../../src/store/group-commit.ts'
import { createChannel, send } from '../support/commands.ts'

interface Underneath {
  commits: GroupCommit
  /** Commands of each batch, in order. */
  batches: Array<Array<Command | Chore>>
  /** Ends the batch that began last; with fewer results than commands, where it is cut short. */
  end: (results?: number) => Promise<void>
  /** All of them, in order. */
  all: Array<{ onSent: (decided: number) => void, done: (committed: Committed) => void, broken: (err: Error) => void }>
  /** What was told as nobody's fault. */
  errors: Error[]
}

function underneath (): Underneath {
  const batches: Underneath['batches'] = []
  const all: Underneath['all'] = []
  const errors: Error[] = []
  const commits = new GroupCommit({
    commit: (commands, onSent) => {
      batches.push(commands)
      return new Promise((resolve, reject) => { all.push({ onSent, done: resolve, broken: reject }) })
    },
    publish: () => {},
    onError: err => { errors.push(err) }
  })
  return {
    commits,
    batches,
    all,
    errors,
    async end (results = batches.at(-1)!.length) {
      all.at(-1)!.done(committed(results))
      await turn()
    }
  }
}

const committed = (results: number): Committed => ({ results: Array.from({ length: results }, () => ({ outcome: {} })) as Committed['results'], entries: [] })

/** What was asked for in this turn of the loop leaves, unless a batch is under way. */
const turn = () => new Promise(resolve => setImmediate(resolve))

const namesOf = (batch: Array<Command | Chore>): string[] => batch.map(command => ('messageId' in command ? command.messageId : 'channelId' in command ? command.channelId : command.type))
const message = (actor: Actor, messageId: string, text = 'Hello') => send(actor, 'room', text, { messageId })
const crowd = (channelId: string) => createChannel(SYSTEM, channelId, {
  participants: Array.from({ length: 1_000 }, (_, number) => ({ userId: `member-${number}`, status: 'active' as const, roles: [] }))
})

it('what one turn of the loop brings goes together, and what comes alone goes alone, with the turn', async () => {
  const { commits, batches, end } = underneath()
  const all = [commits.append(message('amy', 'amy-1')), commits.append(message('bob', 'bob-1'))]
  await Promise.resolve()
  all.push(commits.append(message('cat', 'cat-1')))
  expect(batches).toHaveLength(0)
  await turn()
  expect(batches.map(namesOf)).toEqual([['amy-1', 'bob-1', 'cat-1']])
  await end()
  all.push(commits.append(message('amy', 'amy-2')))
  await turn()
  expect(batches.map(namesOf).at(-1)).toEqual(['amy-2'])
  all.push(commits.append(message('amy', 'amy-3')))
  await end()
  expect(batches.map(namesOf).at(-1)).toEqual(['amy-3'])
  await end()
  await Promise.all(all)
})

it('what has not left yet when it is closed is carried out', async () => {
  const { commits, batches, end } = underneath()
  const sent = commits.append(message('amy', 'last'))
  const closed = commits.close()
  expect(batches.map(namesOf)).toEqual([['last']])
  await expect(commits.append(message('amy', 'too-late'))).rejects.toMatchObject({ refusal: 'unavailable' })
  await end()
  await Promise.all([sent, closed])
})

it('a message goes with the next new channel of a thousand people, not behind all that were asked for before it', async () => {
  const { commits, batches, end } = underneath()
  const all: Array<Promise<unknown>> = [commits.append(crowd('a'))]
  await turn()
  all.push(...['b', 'c', 'd', 'e'].map(name => commits.append(crowd(name))))
  all.push(commits.append(message('bob', 'of-bob')))
  while (batches.flat().length < 6 || batches.length < 5) await end()
  await end()
  await Promise.all(all)
  expect(batches.map(namesOf)).toEqual([['a'], ['of-bob', 'b'], ['c'], ['d'], ['e']])
})

it('callers take turns, each in its own order, also where a batch is cut short', async () => {
  const { commits, batches, end } = underneath()
  const all = [commits.append(message('amy', 'first'))]
  await turn()
  for (let number = 1; number <= 3; number++) all.push(commits.append(message('amy', `amy-${number}`)))
  for (let number = 1; number <= 2; number++) all.push(commits.append(message('bob', `bob-${number}`)))
  await end()
  await end(2)
  await end()
  await Promise.all(all)
  expect(batches.map(namesOf)).toEqual([['first'], ['amy-1', 'bob-1', 'amy-2', 'bob-2', 'amy-3'], ['amy-2', 'bob-2', 'amy-3']])
})

it('what must be first in a batch is, however many others wait', async () => {
  const { commits, batches, end } = underneath()
  const all = [commits.append(message('amy', 'first'))]
  await turn()
  all.push(commits.append(message('bob', 'bob-1')))
  for (let number = 1; number <= 20; number++) all.push(commits.append(message('amy', `amy-${number}`)))
  await end()
  await end(1)
  for (let round = 0; round < 5; round++) {
    const [next] = batches.at(-1)!
    await end(1)
    expect(batches.at(-1)![0]).not.toBe(next)
  }
  await end()
  await Promise.all(all)
})

it('the application has its turn beside all users together, and what it sends for one of them in that one\'s place', async () => {
  const { commits, batches, end } = underneath()
  const all: Array<Promise<unknown>> = [commits.append(message('amy', 'first'))]
  await turn()
  for (let user = 0; user < 300; user++) all.push(commits.append(message(`user-${user}`, `1-of-${user}`)), commits.append(message(`user-${user}`, `2-of-${user}`)))
  for (let number = 0; number < 200; number++) all.push(commits.append({ type: 'take-nonce', actor: SYSTEM, nonce: `${number}` }))
  all.push(commits.append({ ...message(SYSTEM, 'for-amy'), senderId: 'amy' }), commits.append({ ...message('mallory', 'as-amy'), senderId: 'amy' }))
  for (let left = all.length; left > 0; left -= batches.at(-1)!.length) await end()
  await Promise.all(all)
  const nonces = batches.map(batch => batch.filter(({ type }) => type === 'take-nonce').length)
  expect(nonces.slice(0, 3)).toEqual([0, 128, 72])
  const names = batches.map(namesOf).flat()
  expect(names.indexOf('as-amy')).toBeGreaterThan(names.indexOf('for-amy'))
})

it('users\' messages go beside the channels that the application makes by the thousand, and beside those of other users', async () => {
  const { commits, batches, end } = underneath()
  const all: Array<Promise<unknown>> = []
  for (let number = 0; number < 300; number++) {
    all.push(commits.append(crowd(`of-application-${number}`)), commits.append({ ...crowd(`of-user-${number}`), actor: `maker-${number}` }))
  }
  for (let user = 0; user < 300; user++) all.push(commits.append(message(`user-${user}`, `of-${user}`)))
  await turn()
  for (let left = all.length; left > 0; left -= batches.at(-1)!.length) await end()
  await Promise.all(all)
  const counts = batches.map(batch => [batch.filter(({ type }) => type === 'create-channel').length, batch.filter(({ type }) => type === 'send-message').length])
  expect(counts.slice(0, 4)).toEqual([[1, 255], [1, 45], [1, 0], [1, 0]])
  expect(batches).toHaveLength(600)
})

it('a user holds a quarter of what may wait, and others are let in beside it', async () => {
  const { commits, batches, end } = underneath()
  const text = 'x'.repeat(65_536)
  const all = [commits.append(message('amy', 'under-way'))]
  await turn()
  const MOST = 16 * 1024 * 1024 / (2 * text.length)
  for (let number = 0; number < MOST; number++) all.push(commits.append(message('amy', `amy-${number}`, text)))
  await expect(commits.append(message('amy', 'too-much', text))).rejects.toMatchObject({ refusal: 'unavailable' })
  for (const actor of ['bob', SYSTEM]) all.push(commits.append(message(actor, `of-${actor}`, text)))
  for (let left = all.length; left > 0; left -= batches.at(-1)!.length) await end()
  await Promise.all(all)
})

it('the next batch leaves as soon as it may, behind one that is not committed yet, with the rest of that first', async () => {
  const { commits, batches, all } = underneath()
  const asked = ['amy-1', 'amy-2', 'amy-3'].map(name => commits.append(message('amy', name)))
  await turn()
  asked.push(commits.append(message('bob', 'bob-1')))
  await turn()
  expect(batches).toHaveLength(1)
  all[0]!.onSent(2)
  expect(batches.map(namesOf)).toEqual([['amy-1', 'amy-2', 'amy-3'], ['amy-3', 'bob-1']])
  asked.push(commits.append(message('bob', 'bob-2')))
  await turn()
  expect(batches).toHaveLength(2)
  const answered: string[] = []
  asked.forEach((one, index) => { one.then(() => answered.push(`${index}`), () => {}) })
  all[0]!.done(committed(2))
  await turn()
  expect(answered).toEqual(['0', '1'])
  expect(batches).toHaveLength(2)
  all[1]!.onSent(2)
  expect(namesOf(batches[2]!)).toEqual(['bob-2'])
  const closed = commits.close()
  all[1]!.done(committed(2))
  all[2]!.done(committed(1))
  await Promise.all([...asked, closed])
})

it('of a batch that one of them broke each goes by itself, one at a time, and not into what follows it already', async () => {
  const { commits, batches, all, errors } = underneath()
  const asked = ['amy-1', 'amy-2'].map(name => commits.append(message('amy', name)))
  await turn()
  all[0]!.onSent(2)
  asked.push(commits.append(message('bob', 'bob-1')))
  asked.forEach(one => { one.catch(() => {}) })
  await turn()
  all[0]!.broken(new Error('a row that cannot be'))
  await turn()
  expect(batches.map(namesOf)).toEqual([['amy-1', 'amy-2'], ['bob-1']])
  all[1]!.onSent(1)
  asked.push(commits.append(message('bob', 'bob-2')))
  await turn()
  expect(namesOf(batches[2]!)).toEqual(['amy-1'])
  all[2]!.broken(new Error('a row that cannot be'))
  await turn()
  all[1]!.done(committed(1))
  await turn()
  expect(batches.slice(3).map(namesOf)).toEqual([['amy-2']])
  all[3]!.done(committed(1))
  await turn()
  all[4]!.done(committed(1))
  await expect(Promise.allSettled(asked)).resolves.toMatchObject(['rejected', 'fulfilled', 'fulfilled', 'fulfilled'].map(status => ({ status })))
  expect(errors).toHaveLength(1)
  expect(batches.at(-1)!.map(command => 'messageId' in command && command.messageId)).toEqual(['bob-2'])
})

it('a batch whose end nobody knows is refused, and what follows it already is not', async () => {
  const { commits, batches, all } = underneath()
  const lost = commits.append(message('amy', 'amy-1'))
  await turn()
  all[0]!.onSent(1)
  const next = commits.append(message('amy', 'amy-2'))
  await turn()
  all[0]!.broken(refuse('unavailable'))
  await expect(lost).rejects.toMatchObject({ refusal: 'unavailable' })
  all[1]!.done(committed(1))
  await next
  expect(batches).toHaveLength(2)
})
