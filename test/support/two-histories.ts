/**
 * A store whose database is replaced, as where a standby is promoted that has missed the newest commits: up to some entry the
 * log is the same, and from there on it goes on with others.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Store } from '../../src/store/contract/store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'

const FILE = 'channel-relay.db'

type Listener = Parameters<Store['onCommitted']>[0]

export interface TwoHistories {
  /** The one that is there now. */
  store: Store
  /** What is committed from now on, the standby misses. */
  cutOff (): void
  /** The standby takes the place of the other. */
  promote (): Promise<void>
  close (): Promise<void>
}

export async function openTwoHistories (): Promise<TwoHistories> {
  const root = mkdtempSync(join(tmpdir(), 'channel-relay-histories-'))
  const [first, second] = ['first', 'second'].map(name => join(root, name)) as [string, string]
  for (const dataDir of [first, second]) mkdirSync(dataDir)
  const opened = [await openSqliteStore({ dataDir: first })]
  const listeners = new Map<Listener, () => void>()

  const store = new Proxy({} as Store, {
    get (_target, name) {
      const [current] = opened.slice(-1) as [Store]
      if (name === 'onlyWriter') return false
      if (name === 'onCommitted') {
        return (listener: Listener) => {
          listeners.set(listener, current.onCommitted(listener))
          return () => {
            listeners.get(listener)?.()
            listeners.delete(listener)
          }
        }
      }
      const member: unknown = Reflect.get(current, name)
      return typeof member === 'function' ? member.bind(current) : member
    }
  })

  return {
    store,
    cutOff () {
      const db = new DatabaseSync(join(first, FILE))
      db.prepare('vacuum into ?').run(join(second, FILE))
      db.close()
    },
    async promote () {
      opened.push(await openSqliteStore({ dataDir: second }))
      for (const [listener, end] of listeners) {
        end()
        listeners.set(listener, opened.at(-1)!.onCommitted(listener))
      }
    },
    async close () {
      for (const one of opened) await one.close()
      rmSync(root, { recursive: true })
    }
  }
}
