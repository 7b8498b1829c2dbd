/**
 * What one synced commit costs a bare client: a row of the text's length, in a database as the service opens its own.
 * `node commit.ts <file> <commits> <milliseconds between them>` prints the times, in milliseconds, as JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'

const [file, commits, gapMs] = process.argv.slice(2)
const database = new DatabaseSync(file!)
database.exec('pragma journal_mode = wal; pragma synchronous = full; create table rows (id integer primary key, text text)')
const insert = database.prepare('insert into rows (text) values (?)')
const times: number[] = []
for (let count = 0; count < Number(commits); count++) {
  const before = performance.now()
  insert.run('x'.repeat(100))
  times.push(performance.now() - before)
  await sleep(Number(gapMs))
}
console.log(JSON.stringify(times))
