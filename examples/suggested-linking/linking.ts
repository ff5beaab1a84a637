// What the app decides, without asking anybody.

export interface Suggestion {
  readonly userId: string
  readonly email: string
  /** The person proves the account by signing in with it. */
  readonly connection: string
}

interface Found {
  readonly user_id?: string | undefined
  readonly email?: string | undefined
  readonly email_verified?: boolean | undefined
  readonly identities?: readonly { readonly connection?: string | undefined }[] | undefined
}

/**
 * Other accounts of the user's address. Both sides are verified: an address that somebody merely typed names nobody.
 *
 * @param user claims of the ID token
 */
export function suggestionsFor(
  user: Readonly<Record<string, unknown>>,
  found: readonly Found[],
): readonly Suggestion[] {
  if (user.email_verified !== true) return []
  return found.flatMap(({ user_id, email, email_verified, identities }) => {
    const connection = identities?.[0]?.connection
    if (user_id === undefined || user_id === user.sub || email === undefined || connection === undefined) return []
    return email_verified === true ? [{ userId: user_id, email, connection }] : []
  })
}

export type LinkPlan =
  | { readonly kind: 'link'; readonly primary: string; readonly secondary: string }
  /** The person joined the two on Tenon's page meanwhile, or signed in as who they were. */
  | { readonly kind: 'nothing-to-do' }
  | { readonly kind: 'wrong-account' }

/**
 * What a sign-in that was asked for as a proof amounts to; undefined for any other sign-in.
 *
 * @param linking from the state that the app signed when it asked
 * @param idToken of the second sign-in, whose signature the library has checked
 */
export function planLink(linking: unknown, idToken: string): LinkPlan | undefined {
  if (typeof linking !== 'object' || linking === null || !('primary' in linking) || !('secondary' in linking))
    return undefined
  const { sub } = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString()) as {
    readonly sub?: string
  }
  if (sub === linking.primary) return { kind: 'nothing-to-do' }
  // An equal address is no proof: the account that signed in is the one that was chosen, or nothing is linked.
  if (sub !== linking.secondary) return { kind: 'wrong-account' }
  return { kind: 'link', primary: String(linking.primary), secondary: String(sub) }
}
