/** Longer than a database takes that is there, in milliseconds. */
const SLOW_MS = 2_000

/** Waits for what was begun; where that takes long, `tell` is called, once. */
export async function tellIfSlow<T> (begun: Promise<T>, tell: () => void): Promise<T> {
  const timer = setTimeout(tell, SLOW_MS)
  try {
    return await begun
  } finally {
    clearTimeout(timer)
  }
}
