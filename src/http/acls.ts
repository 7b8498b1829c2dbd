/** From access control lists in bodies to those of commands (protocol 11). */
import type { AclPatch as AclPatchBody } from '../../schemas/access.ts'
import { patchedLists, type AclPatch } from '../rules/access-entries.ts'
import type { AclsOf } from '../store/contract/reads.ts'
import { isEmpty } from './input.ts'
import { refuseField } from './validation.ts'

/** A change of lists: it says what its type takes, and nothing else. Entries of a message name its channel, which the store knows. */
export function patchOf (body: AclPatchBody, of: AclsOf): AclPatch {
  const [taken, others] = body.patchType === 'Set' ? ['setAcls', ['addAcls', 'removeAcls']] as const : ['addAcls and removeAcls', ['setAcls']] as const
  for (const other of others) {
    if (!isEmpty(body[other])) throw refuseField(`body/${other}`, `does not go with a ${body.patchType}, which takes ${taken}: leave it out`)
  }
  const { setAcls = null, addAcls = null, removeAcls = null } = body
  const patch: AclPatch = body.patchType === 'Set' ? { patchType: 'Set', setAcls } : { patchType: 'Diff', addAcls, removeAcls }
  // Before anything is looked up: what is no entry is none of anybody's.
  if (of.kind !== 'message') patchedLists(undefined, patch, of)
  return patch
}
