/** Who is calling (protocol 2). */
import { SYSTEM, type Actor, type GivenBy } from '../store/contract/commands.ts'

/** A user, by a token of its own or because the application acts as it (sudo). */
export interface UserPrincipal {
  kind: 'user'
  userId: string
  /** The tokens whose revocation ends this right: the one that was shown, its maker, and so on. Empty for sudo. */
  lineage: string[]
  /** When the token that was shown ends, in milliseconds since the epoch. An event token's: its maker's. */
  expiresAt?: number
  /** An event token: good for event streams only. */
  receiveOnly: boolean
}

/** The application, by signature or by Basic. */
export interface ApplicationPrincipal {
  kind: 'application'
}

export type Principal = UserPrincipal | ApplicationPrincipal

/** In whose name the store is to act. */
export function actorOf (principal: Principal): Actor {
  return principal.kind === 'application' ? SYSTEM : principal.userId
}

/** In whose name a command is given and, where that right can end, by which: it is asked again where the command is carried out. */
export function rightOf (principal: Principal): Pick<GivenBy, 'actor' | 'lineage'> {
  const actor = actorOf(principal)
  return principal.kind === 'application' || principal.lineage.length === 0 ? { actor } : { actor, lineage: principal.lineage }
}
