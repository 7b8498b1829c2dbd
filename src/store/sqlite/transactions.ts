/** Carries out batches on the connection that writes, each in one transaction. */
import type { DatabaseSync } from 'node:sqlite'
import type { Command } from '../contract/commands.ts'
import { Batch } from '../core/batch.ts'
import type { Chore } from '../core/chores.ts'
import type { Committed } from '../group-commit.ts'
import { Loader } from './load.ts'
import { BatchWriter } from './write.ts'

export class Transactions {
  readonly #db: DatabaseSync
  readonly #writer: BatchWriter
  /** What commands are decided on. */
  readonly loader: Loader

  constructor (db: DatabaseSync) {
    this.#db = db
    this.loader = new Loader(db)
    this.#writer = new BatchWriter(db, this.loader)
  }

  /** On disk when it returns. Throws where nothing of it happened. */
  commit (commands: Array<Command | Chore>): Committed {
    const db = this.#db
    try {
      db.exec('begin immediate')
      this.loader.begin()
      const before = this.loader.log()
      const batch = new Batch(this.loader, before, Date.now())
      const results = commands.map(command => batch.execute(command))
      const changes = batch.changes()
      this.#writer.write(changes, before, batch.log)
      const { entries } = batch
      db.exec('commit')
      this.loader.committed(changes, batch.log)
      return { results, entries }
    } catch (err) {
      if (db.isTransaction) db.exec('rollback')
      throw err
    }
  }
}
