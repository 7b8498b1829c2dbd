/** Disks that can be made full, and have space again, while a service runs on them. Linux only. */
import { execFile, spawnSync } from 'node:child_process'
import { appendFile, mkdtemp, readdir, rm, rmdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What a tmpfs holds at most. */
const TMPFS_MIB = 16

export interface SmallDisk {
  /** On the disk, empty. */
  dataDir: string
  /** From now on the service finds no space. */
  fill (pid: number): Promise<void>
  /** From now on it finds space. */
  free (pid: number): Promise<void>
  /** Leaves nothing behind. The service must have ended. */
  dispose (): Promise<void>
}

/** A file system of its own, full when it is full. Throws where this process may not mount. */
export async function mountTmpfs (): Promise<SmallDisk> {
  const dataDir = await mkdtemp(join(tmpdir(), 'channel-relay-full-'))
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${TMPFS_MIB}m,mode=700`, 'tmpfs', dataDir])
  } catch (err) {
    await rmdir(dataDir)
    throw new Error('This test mounts a small tmpfs, and may not: run it as root (in a container with --cap-add=SYS_ADMIN)', { cause: err })
  }
  // For a test that is cut off before it can dispose.
  const unmountWithUs = () => { spawnSync('umount', ['-l', dataDir]) }
  process.once('exit', unmountWithUs)
  const ballast = join(dataDir, 'ballast')
  return {
    dataDir,
    async fill () {
      // Large pieces first, then the last bytes.
      for (const size of [65_536, 4_096, 1]) {
        try {
          for (;;) await appendFile(ballast, Buffer.alloc(size))
        } catch (err) {
          if ((err as NodeJS.ErrnoException).code !== 'ENOSPC') throw err
        }
      }
    },
    async free () { await rm(ballast) },
    async dispose () {
      await run('umount', [dataDir])
      process.off('exit', unmountWithUs)
      await rmdir(dataDir)
    }
  }
}

/**
 * An ordinary directory, and a limit of the kernel's on how large a file the service may write: it needs no
 * rights, and refuses what would make a file grow, as a full disk does.
 */
export async function limitFileSize (): Promise<SmallDisk> {
  const dataDir = await mkdtemp(join(tmpdir(), 'channel-relay-full-'))
  /** The soft limit alone, so that it can be taken back. */
  const limit = (pid: number, bytes: number | 'unlimited') => run('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`])
  return {
    dataDir,
    async fill (pid) {
      const files = await readdir(dataDir)
      const sizes = await Promise.all(files.map(async file => (await stat(join(dataDir, file))).size))
      await limit(pid, Math.max(...sizes))
    },
    async free (pid) { await limit(pid, 'unlimited') },
    async dispose () { await rm(dataDir, { recursive: true }) }
  }
}
