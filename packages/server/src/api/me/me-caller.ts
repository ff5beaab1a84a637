// The person behind a token for the My Account API.
import type { Caller } from '../operation.ts'
import { ApiRefusal } from '../refusal.ts'

export interface MeCaller extends Caller {
  readonly userId: string
}

/** @throws {ApiRefusal} 403: a machine has no account of its own. */
export function userOf(caller: Caller): MeCaller {
  const { userId } = caller
  if (userId === undefined) throw new ApiRefusal(403, 'user_required', 'This interface is for users.')
  return { ...caller, userId }
}
