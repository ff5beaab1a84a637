// What a change to how somebody signs in asks of the token that wants it (T-LINK-10): the tenant's own app, for its person, and
// a sign-in of a moment ago. An app that lacks it sends the person to `/authorize` and comes back (RFC 9470).
import { heldFactors } from '../../accounts/second-factors.ts'
import { transact } from '../../accounts/transact.ts'
import { parseClient } from '../../domain/client.ts'
import { judgeTokenProof } from '../../domain/recent-proof.ts'
import { MULTI_FACTOR_ACR } from '../../domain/second-factor.ts'
import type { User } from '../../domain/user.ts'
import { stringsOf } from '../../lib/json.ts'
import type { Repositories } from '../../storage/storage.ts'
import { ApiRefusal, unauthorized } from '../refusal.ts'
import type { MethodDeps } from './deps.ts'
import type { MeCaller } from './me-caller.ts'

type ProofDeps = Pick<MethodDeps, 'storage' | 'clock' | 'settings'>

/** For `answers` of operations that ask for it. */
export const proofRefusals = {
  401: {
    description: 'No token, or none for this interface; insufficient_user_authentication: sign the person in again',
  },
  403: { description: 'insufficient_scope; policy_denied: not a first-party client, or a token that was handed on' },
} as const

/** Carries a change out, in a transaction that holds the user's row. @throws {ApiRefusal} as `requireRecentProof`. */
export const changeAsOwner = <T>(
  deps: ProofDeps,
  caller: MeCaller,
  change: (tx: Repositories, user: User) => Promise<T>,
): Promise<T> =>
  transact(deps.storage, async (tx) => {
    const [user] = await tx.users.lock([caller.userId])
    if (user === undefined || user.blocked) throw unauthorized('Invalid token')
    // Here, for the second step may have been set up since the request began.
    await requireRecentProof(deps, tx, caller)
    return change(tx, user)
  })

/** @throws {ApiRefusal} 403 `policy_denied`; 401 `insufficient_user_authentication`. */
export async function requireRecentProof(
  { clock, settings }: ProofDeps,
  repositories: Repositories,
  caller: MeCaller,
): Promise<void> {
  await requireOwnApp(repositories, caller)
  const maxAgeSeconds = settings().linking.reauthenticationSeconds
  const { auth_time: authTime, amr } = caller.claims
  const proof = { authenticatedAt: typeof authTime === 'number' ? authTime : undefined, amr: stringsOf(amr) }
  const held = await heldFactors(repositories, caller.userId)
  const verdict = judgeTokenProof(proof, { held, now: clock(), maxAgeSeconds })
  if (verdict.kind === 'insufficient') throw insufficient(caller, verdict.secondStep, maxAgeSeconds)
}

async function requireOwnApp({ clients }: Repositories, { clientId, claims }: MeCaller): Promise<void> {
  const client = await clients.find(clientId)
  if (client === undefined) throw unauthorized('Invalid token')
  // Whoever acts for the person is not the person.
  if (claims.act !== undefined) throw denied({ reason: 'handed_on' })
  if (!parseClient(client).firstParty) throw denied({ reason: 'third_party' })
}

const denied = (why: { readonly reason: string }) =>
  new ApiRefusal(403, 'policy_denied', 'The client may not change how the user signs in.', why)

/** RFC 9470 §3. A sign-in without the second step is of no use however recent: it is to be made anew. */
function insufficient({ jkt }: MeCaller, secondStep: boolean, maxAgeSeconds: number): ApiRefusal {
  const message = secondStep
    ? 'The user has a second step, and the sign-in of this token did without.'
    : 'The user has to have signed in more recently.'
  const wanted = { max_age: secondStep ? 0 : maxAgeSeconds, ...(secondStep ? { acr_values: MULTI_FACTOR_ACR } : {}) }
  const said = { error: 'insufficient_user_authentication', error_description: message }
  return new ApiRefusal(401, 'insufficient_user_authentication', message, {
    scheme: jkt === undefined ? 'Bearer' : 'DPoP',
    challenge: { ...said, ...wanted, max_age: String(wanted.max_age) },
    details: wanted,
  })
}
