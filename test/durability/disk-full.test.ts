/** A full disk stops nothing but writes, and loses nothing. */
import { it } from 'vitest'
import { survivesFullDisk } from './full-disk.ts'
import { limitFileSize, mountTmpfs } from './small-disk.ts'

it.runIf(process.platform === 'linux')('refuses sends, and goes on with all else, while files cannot grow', async () => {
  await survivesFullDisk(await limitFileSize(), 1)
})

it('refuses sends, and goes on with all else, while the disk is full', async ({ skip }) => {
  // disk-full.long.test.ts insists on it.
  const disk = await mountTmpfs().catch(err => skip((err as Error).message))
  await survivesFullDisk(disk, 1)
})
