/** What each generated client does, through a program of a few lines in its language, with the real service. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { projectDir, spawnService } from '../support/process.ts'

export const document = join(projectDir, 'openapi.yaml')

/** Within the Basic Multilingual Plane and beyond it, quotes, and what ends a line for some. */
const TEXT = 'Grüße "an alle" 👋\u2028'

/**
 * Generates, compiles and runs: `build` is given a directory with a copy of the language's own, and answers how to start
 * what it has built there. That makes a user, a channel with it, sends as it, lists, and asks for what is not there.
 */
export async function mustWalk (language: string, build: (directory: string) => Promise<(env: Record<string, string>) => Promise<string>>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), `channel-relay-client-${language}-`))
  const service = await spawnService()
  try {
    cpSync(join(import.meta.dirname, language), directory, { recursive: true })
    const start = await build(directory)
    const before = Date.now()
    const { accessKey, accessSecret } = service.credentials
    const printed = await start({ API: service.url, KEY: accessKey, SECRET: accessSecret, NAME: `@${language}`, CHANNEL: `channel-of-${language}`, TEXT })
    // Maven colours what it prints, whatever it is told.
    const { sentAt, ...seen } = JSON.parse(printed.slice(printed.indexOf('{'), printed.lastIndexOf('}') + 1))
    expect(seen).toEqual({
      user: `@${language}`, channel: `channel-of-${language}`, recipients: 1, listed: [[`@${language}`, TEXT]], refused: 'entity_not_found'
    })
    // As milliseconds of today: more than 32 bits hold.
    expect(sentAt).toBeGreaterThanOrEqual(before)
  } finally {
    await service.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}
