// Who may act on whom: machines on everybody, a user's own token on that user alone.
import type { Caller } from '../operation.ts'
import { ApiRefusal } from '../refusal.ts'

const OWN_RECORD = /:current_user(?:_|$)/

/**
 * The scopes of a token that count here. A user's token reaches its own record and nothing else, whatever it was granted;
 * a machine has no record of its own (auth0-wire.md §3.4).
 */
export function scopesOf(access: Pick<Caller, 'userId' | 'scopes'>): ReadonlySet<string> {
  const isUser = access.userId !== undefined
  return new Set([...access.scopes].filter((scope) => OWN_RECORD.test(scope) === isUser))
}

/** @throws {ApiRefusal} 403 `unowned_resource`: a user's token, and another user's record. */
export function requireOwn(caller: Caller, userId: string): void {
  if (caller.userId === undefined || caller.userId === userId) return
  throw new ApiRefusal(403, 'unowned_resource', 'User to be acted on does not match subject in bearer token.')
}
