// What a connect flow learnt of the account at the provider, between the provider's answer and `complete`.
import { isJsonObject, isString, type JsonObject, stringsOf } from '../lib/json.ts'

export interface PendingAccount {
  readonly subject: string
  /** What the account is called at the provider. */
  readonly upstreamName: string
  readonly email: string | undefined
  readonly scopesAsked: readonly string[]
  readonly scopesGranted: readonly string[]
  /** Where its API lives, and the like. */
  readonly extras: JsonObject
  /** The connected account that was to be renewed, where one was named; this may be another. */
  readonly meant?: string | undefined
}

export const serializePendingAccount = ({ email, meant, ...account }: PendingAccount): JsonObject => ({
  ...account,
  ...(meant === undefined ? {} : { meant }),
  ...(email === undefined ? {} : { email }),
})

/** @throws what was sealed is of another shape. */
export function parsePendingAccount({
  subject,
  upstreamName,
  email,
  scopesAsked,
  scopesGranted,
  extras,
  meant,
}: JsonObject): PendingAccount {
  if (!isString(subject) || !isString(upstreamName)) throw new Error('a pending account of an unknown shape')
  return {
    subject,
    upstreamName,
    email: isString(email) ? email : undefined,
    scopesAsked: stringsOf(scopesAsked),
    scopesGranted: stringsOf(scopesGranted),
    extras: isJsonObject(extras) ? extras : {},
    meant: isString(meant) ? meant : undefined,
  }
}
