/** What only some may do with the application: its own access control lists say who. */
import type { PrivilegeOf } from '../../../rules/access.ts'
import { mustBeAllowedHere as mustBeAllowedBy } from '../../../rules/access-refusals.ts'
import { SYSTEM, type Actor } from '../../contract/commands.ts'
import type { Draft } from '../draft.ts'

export function mustBeAllowedHere (draft: Draft, privilege: PrivilegeOf<'application'>, actor: Actor): void {
  if (actor !== SYSTEM) mustBeAllowedBy(privilege, draft.get('application', '')?.acls, actor)
}
