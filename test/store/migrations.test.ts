/** Each migration by itself, on stores that real runs of earlier versions left: what the SQL alone makes of them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openWriter } from '../../src/store/sqlite/database.ts'
import { projectDir } from '../support/process.ts'
import { faultsOf, faultsOfIntervals, hasTable, receivedIn, schemaOf, shapeOf } from './consistency.ts'
import { fixtures, unpack } from './fixtures/fixture.ts'

const migrationsDir = join(projectDir, 'src/store/sqlite/migrations')
const migrations = readdirSync(migrationsDir).filter(name => name.endsWith('.sql')).sort()

const dirs: string[] = []
const open: DatabaseSync[] = []
afterEach(() => {
  for (const db of open.splice(0)) db.close()
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true })
})

function openIn (dir: string): DatabaseSync {
  dirs.push(dir)
  const db = new DatabaseSync(join(dir, 'channel-relay.db'))
  open.push(db)
  return db
}
const empty = () => openIn(mkdtempSync(join(tmpdir(), 'channel-relay-migrations-')))
const found = (fixture: string) => openIn(unpack(fixture))

/** One migration after the other, to the newest. */
function upgrade (db: DatabaseSync): void {
  for (const [index, file] of migrations.entries()) {
    if (index < schemaOf(db)) continue
    db.exec('begin immediate')
    db.exec(readFileSync(join(migrationsDir, file), 'utf8'))
    db.exec(`pragma user_version = ${index + 1}; commit`)
  }
}

describe('the migrations', () => {
  let dataDir: string
  let shape: ReturnType<typeof shapeOf>
  /** What a new store has. */
  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-migrations-'))
    const db = openWriter(dataDir)
    shape = shapeOf(db)
    expect(schemaOf(db)).toBe(migrations.length)
    db.close()
  })
  afterAll(() => rmSync(dataDir, { recursive: true }))

  it('have a fixture for every schema before the newest', () => {
    expect(fixtures).toEqual(expect.arrayContaining(migrations.slice(0, -1).map((_, index) => `schema-${index + 1}`)))
  })

  it('make an empty database the store that a new one is', () => {
    const db = empty()
    upgrade(db)
    expect(shapeOf(db)).toEqual(shape)
  })

  describe.each(fixtures)('from %s', fixture => {
    it('begin with the schema that its name says', () => {
      expect(`schema-${schemaOf(found(fixture))}`).toBe(fixture)
    })

    it('begin with a sound database, of which retention has passed a part', () => {
      const db = found(fixture)
      expect(db.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
      const { least } = db.prepare('select min(position) as least from entries').get() as { least: number }
      expect(least).toBeGreaterThan(1)
    })

    it('end in the schema of a new store', () => {
      const db = found(fixture)
      upgrade(db)
      expect(shapeOf(db)).toEqual(shape)
    })

    it('keep the log as it was', () => {
      const db = found(fixture)
      const log = () => db.prepare(`select position, tag, at, kind, lane, channel_key, sender_key, about_key,
        message_id, message_position, edit_position, body from entries order by position`).all()
      const before = log()
      upgrade(db)
      expect(log()).toEqual(before)
    })

    it('leave counts that are those of the rows', () => {
      const db = found(fixture)
      upgrade(db)
      expect(faultsOf(db)).toEqual({})
    })

    it('would be seen to leave a wrong count', () => {
      const db = found(fixture)
      upgrade(db)
      db.exec(`update channels set receiving_count = receiving_count + 1, message_count = message_count - 1 where channel_id = 'town-square';
        update memberships set count = count + 1; update counters set value = -1; delete from users where user_id = 'amy'`)
      expect(Object.keys(faultsOf(db))).toEqual(expect.arrayContaining([
        'channels.receiving_count', 'channels.message_count', 'counters', 'participations of nobody, or of no channel', 'tokens of nobody', 'entries of nobody'
      ]))
    })

    it('keep who received what when, where it can be replayed', () => {
      const db = found(fixture)
      const before = receivedIn(db)
      upgrade(db)
      expect(receivedIn(db)).toEqual(before)
    })

    it('give every member, and nobody else, one open interval with its standing', () => {
      const db = found(fixture)
      upgrade(db)
      if (hasTable(db, 'intervals')) expect(faultsOfIntervals(db)).toEqual([])
      else expect(schemaOf(db)).toBeLessThan(3)
    })

    it('take the ids of events that came with channels and messages', () => {
      const db = found(fixture)
      upgrade(db)
      const given = ['event-of-first-day-3', 'event-of-news-desk-1', 'event-of-news-desk-2', 'event-of-third-day-3', 'event-of-town-square']
      const taken = db.prepare(`select event_id from created_events where event_id like 'event-of-%'
        union select event_id from entries where event_id like 'event-of-%'`).all().map(row => row.event_id)
      expect(taken).toEqual(expect.arrayContaining(given))
    })
  })
})
