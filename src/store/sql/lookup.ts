/** Where what a request under a key came to is found. */
import { hash } from 'node:crypto'

/**
 * A number that stands for an actor and a key in the index: 48 bits of a digest, so that nobody can choose many that are alike.
 * Two may be, all the same: whoever looks compares both.
 */
export function lookupOf (actor: string, key: string): number {
  return parseInt(hash('sha1', `${actor} ${key}`, 'hex').slice(0, 12), 16)
}
