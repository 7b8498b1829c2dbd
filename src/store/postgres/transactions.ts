/** Carries out batches on the session that writes, each in one transaction, in two round trips. */
import { setImmediate } from 'node:timers/promises'
import { Refusal, refuse } from '../../errors.ts'
import type { Command } from '../contract/commands.ts'
import { Batch, type Result } from '../core/batch.ts'
import type { Changes } from '../core/changes.ts'
import type { Chore } from '../core/chores.ts'
import type { Loaded } from '../core/loaded.ts'
import { needsOf } from '../core/needs.ts'
import type { LogState } from '../core/records.ts'
import { Unloaded } from '../core/source.ts'
import type { Committed } from '../group-commit.ts'
import { load, loadOne, type Found } from './load.ts'
import { locks } from './locks.ts'
import { SessionEnded, type Session } from './session.ts'
import { HALF_BATCH_MS, IDLE_IN_BATCH_MS } from './sessions.ts'
import { write } from './write.ts'

/**
 * The lock is a statement of its own: one that reads, too, would read what was there before it had waited for the lock.
 * A commit waits for the disk, and for the standbys that the server is told to wait for, whatever the session is set to.
 */
const BEGIN = `begin isolation level read committed;
  select set_config('synchronous_commit', case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, true);
  select pg_advisory_xact_lock(${locks.batch})`

/**
 * A commit that has written nothing waits for nobody. Where it confirms what another one has written, whose wait was broken off, say, it must:
 * one record of the log of writes, which nobody reads, and it waits as they all do.
 */
const CONFIRM = 'select pg_logical_emit_message(true, \'channel-relay\', \'\')'

/** Rounds of loading, after the first, that are worth it in the middle of a batch: then it ends before the command that needs another. */
const MORE_ROUNDS = 1

/** A process that has stood still for so long, in milliseconds, looks whether its session has ended meanwhile. */
const STOOD_STILL_MS = IDLE_IN_BATCH_MS / 2

/**
 * Done when it resolves. Rejects where nothing of it happened, as long as `onSent` was not called: it is when all that is to be written is on its way, and
 * what is sent then finds it written, or finds nothing of it. With the refusal `unavailable` where it was committed, and not as it must be.
 * @param onSent how many of the commands were carried out
 */
export async function transact (session: Session, commands: Array<Command | Chore>, onSent: (decided: number) => void): Promise<Committed> {
  const begun = await begin(session, commands)
  const { results, entries } = begun
  const { unconfirmed } = session
  const sent = send(session, begun)
  onSent(results.length)
  // Once all of it is answered: what comes next may be on its way, and is not to be met by a rollback of this.
  const answers = await session.within(HALF_BATCH_MS, () => Promise.allSettled(sent))
  const failure = answers.find(({ status }) => status === 'rejected')
  if (failure !== undefined) throw (failure as PromiseRejectedResult).reason
  // It is done, and a standby that was to have it may not: somebody has ended the wait.
  if (session.unconfirmed > unconfirmed) throw refuse('unavailable')
  return { results, entries }
}

interface Begun extends Committed {
  found: Found
  changes: Changes
  /** As it leaves the log. */
  log: LogState
}

/** Begins the transaction, and decides what becomes of it. */
async function begin (session: Session, commands: Array<Command | Chore>): Promise<Begun> {
  try {
    const begun = performance.now()
    const [, found] = await session.within(HALF_BATCH_MS, () => Promise.all([session.exec(BEGIN), load(session, needsOf(commands))]))
    const batch = new Batch(found.loaded, found.log, found.now)
    const results = await executeAll(batch, commands, session, found.loaded)
    const decided = { results, entries: batch.entries, found, changes: batch.changes(), log: batch.log }
    if (performance.now() - begun > STOOD_STILL_MS) await setImmediate()
    if (!session.isOpen) throw new SessionEnded()
    return decided
  } catch (err) {
    if (session.isOpen) await session.exec('rollback').catch(() => session.destroy())
    throw err
  }
}

/** Sends all that is to be written, and the commit: where one of them fails, nothing of it is committed. Or ends the session with what was sent of it. */
function send (session: Session, { results, found: { loaded, log: before }, changes, log }: Begun): Array<Promise<unknown>> {
  try {
    const written = write(session, changes, loaded, before, log)
    if (written.length === 0 && results.some(confirms)) written.push(session.run(CONFIRM))
    return [...written, session.exec('commit')]
  } catch (err) {
    session.destroy()
    throw err
  }
}

/** Whether it tells its caller that something is there: a repeat's answer, or that an id is taken. */
const confirms = (result: Result): boolean => !('refusal' in result) || new Refusal(result.refusal).status === 409

/** One command after the other. What one needs and could not say is loaded, for all that need it a round more. */
async function executeAll (batch: Batch, commands: Array<Command | Chore>, session: Session, loaded: Loaded): Promise<Result[]> {
  const results: Result[] = []
  for (let rounds = 0; results.length < commands.length;) {
    try {
      results.push(batch.execute(commands[results.length]!))
    } catch (err) {
      if (!(err instanceof Unloaded)) throw err
      if (rounds === MORE_ROUNDS && results.length > 0) break
      rounds++
      await loadOne(session, loaded, err.need)
    }
  }
  return results
}
