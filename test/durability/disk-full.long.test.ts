/** As disk-full.test.ts, again and again on one service: the log is at another place each time. */
import { it } from 'vitest'
import { survivesFullDisk } from './full-disk.ts'
import { mountTmpfs } from './small-disk.ts'

it('refuses sends, and goes on with all else, while the disk is full, 10 times', async () => {
  await survivesFullDisk(await mountTmpfs(), 10)
})
