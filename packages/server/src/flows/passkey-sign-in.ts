// Signing in, and proving an account, by a passkey: an identity like every other, known by its credential's id.
import { PASSKEY_AMR } from '../domain/second-factor.ts'
import type { Identity } from '../domain/user.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Arrival } from './arrival.ts'
import type { BrowserRequest } from './browser-request.ts'
import { isPasskeyConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { OpenInteraction } from './login.ts'
import { offerPasskey, provePasskey } from './passkey-proof.ts'

const purposeOf = ({ interaction }: OpenInteraction, proves: string | undefined): string =>
  proves === undefined ? `sign-in:${interaction.uid}` : `proof:${proves}`

/** What the sign-in page hands to its script; undefined where passkeys are not on. The device says which there are. */
export async function signInPasskey(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  proves?: string,
): Promise<JsonObject | undefined> {
  if (!open.connections.some(isPasskeyConnection)) return undefined
  return offerPasskey(deps, request, { purpose: purposeOf(open, proves) })
}

/** Who signs in by it; undefined when it was not accepted. @throws {FlowError} `connection_unavailable`. */
export async function checkPasskeySignIn(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  { answer, proves }: { readonly answer: string; readonly proves?: string | undefined },
): Promise<Arrival | undefined> {
  const connection = open.connections.find(isPasskeyConnection)
  if (connection === undefined) throw new FlowError('connection_unavailable')
  const asked = { purpose: purposeOf(open, proves), answer, connectionId: connection.id }
  const proven = await provePasskey(deps, request, asked)
  return proven && passkeyArrival(connection, proven.identity)
}

/** A passkey says nothing new about a person. */
export const passkeyArrival = (connection: Arrival['connection'], { subject, profileData }: Identity): Arrival => ({
  connection,
  subject,
  profileData,
  email: undefined,
  grade: 0,
  amr: PASSKEY_AMR,
  account: undefined,
  scopesAsked: [],
})
