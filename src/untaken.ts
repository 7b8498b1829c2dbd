import type { Socket } from 'node:net'

/** Bytes written to a socket that the kernel has not taken. Of one write it takes some at a time, which the socket itself does not tell of. */
export function untakenOf (socket: Socket): number {
  const { writableLength, _handle: handle } = socket as Socket & { _handle?: { writeQueueSize?: number } | null }
  return writableLength + (handle?.writeQueueSize ?? 0)
}
