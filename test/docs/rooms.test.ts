/** The drawing of the rooms in docs/architecture.md, held against the imports as they are. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'
import { projectDir } from '../support/process.ts'

/** Longest first: a file is in the innermost room that its path names. */
const rooms = ['src/store/contract', 'src/store/core', 'src/store/sql', 'src/store/sqlite', 'src/store/postgres', 'src/store/moving', 'src/store', 'src/rules', 'src/relay', 'src/auth', 'src/http', 'schemas', 'routes']
/** Single files that rooms import. */
const files = ['src/errors.ts', 'src/settings.ts']

const nameOf = (room: string) => room.replace(/^src\//, '').replace(/\.ts$/, '')

function roomOf (file: string): string | undefined {
  if (files.includes(file)) return nameOf(file)
  const room = rooms.find(room => file.startsWith(`${room}/`))
  return room === undefined ? undefined : nameOf(room)
}

function importsOf (file: string): string[] {
  const text = readFileSync(join(projectDir, file), 'utf8')
  return [...text.matchAll(/(?:from|import|new URL\()\s*\(?'(\.{1,2}\/[^']+\.ts)'/g)].map(([, path]) => relative(projectDir, join(projectDir, dirname(file), path!)))
}

/** Arrows between rooms, as the code has them. */
function imported (): Map<string, Set<string>> {
  const arrows = new Map<string, Set<string>>()
  for (const file of globSync('{src,routes,schemas}/**/*.ts', { cwd: projectDir })) {
    const from = roomOf(file)
    if (from === undefined || from === 'settings') continue
    if (!arrows.has(from)) arrows.set(from, new Set())
    for (const to of importsOf(file).map(roomOf)) if (to !== undefined && to !== from) arrows.get(from)!.add(to)
  }
  return arrows
}

/** Arrows as the document draws them. */
function drawn (): Map<string, Set<string>> {
  const text = readFileSync(join(projectDir, 'docs/architecture.md'), 'utf8')
  const block = /^schemas +->[\s\S]*?```/m.exec(text)![0]
  return new Map([...block.matchAll(/^(\S+) *->(.*)$/gm)].map(([, from, to]) => [from!, new Set(to!.split(',').map(room => room.trim()).filter(room => room !== ''))]))
}

const sorted = (arrows: Map<string, Set<string>>) => Object.fromEntries([...arrows].sort(([a], [b]) => a < b ? -1 : 1).map(([from, to]) => [from, [...to].sort()]))

it('the rooms import each other as docs/architecture.md draws it', () => {
  expect(sorted(drawn())).toEqual(sorted(imported()))
})
