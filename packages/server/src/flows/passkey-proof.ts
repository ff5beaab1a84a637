// Asking a browser for a passkey, and judging what it answers. A challenge is for one browser, one place and five minutes,
// and counts once: nothing is kept until it does.

import { randomToken, sha256Hex } from '../crypto/hashing.ts'
import { checkPasskey, passkeyOptions, relyingPartyOf, userHandleOf } from '../crypto/passkeys.ts'
import type { Identity } from '../domain/user.ts'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'
import { parseStrictJson } from '../lib/strict-json.ts'
import type { PasskeyRecord } from '../storage/factor-repository.ts'
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { openSealedState, sealState } from './sealed-state.ts'

const CHALLENGE_SECONDS = 300

/** Where it is asked for, by a name that nothing else has: the interaction, or what a person does with their account. */
type Purpose = string

/** Of the browser, and of who is signed in there. */
const areaOf = ({ session }: BrowserRequest, purpose: Purpose): string => `passkey:${purpose}:${session?.uid ?? ''}`

export const newChallenge = (deps: FlowDeps, request: BrowserRequest, purpose: Purpose): Uint8Array =>
  Buffer.from(sealState(deps, request, areaOf(request, purpose), { nonce: randomToken(16) }), 'base64url')

/** True for one caller, of a challenge that was made for this. */
export async function consumeChallenge(
  deps: FlowDeps,
  request: BrowserRequest,
  purpose: Purpose,
  challenge: string,
): Promise<boolean> {
  const area = areaOf(request, purpose)
  if (openSealedState(deps, request, { area, state: challenge, seconds: CHALLENGE_SECONDS }) === undefined) return false
  // By what was sealed, not by how it is written: base64url has spellings.
  const name = `passkey:${sha256Hex(Buffer.from(challenge, 'base64url').toString('hex'))}`
  const now = deps.clock()
  const { points } = await deps.storage.transaction((tx) => tx.limits.add(name, 1, now, now + CHALLENGE_SECONDS))
  return points === 1
}

/** What a page hands to its script; `own` restricts it to these passkeys. */
export const offerPasskey = (
  deps: FlowDeps,
  request: BrowserRequest,
  { purpose, own = [] }: { readonly purpose: Purpose; readonly own?: readonly PasskeyRecord[] },
): Promise<JsonObject> =>
  passkeyOptions(
    relyingPartyOf(deps.issuer),
    newChallenge(deps, request, purpose),
    own.map(({ subject: id, transports }) => ({ id, transports })),
  )

/** What a page's script sent; undefined when it is no JSON object. */
export function parseAnswer(text: string): JsonObject | undefined {
  try {
    const value = parseStrictJson(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export interface ProvenPasskey {
  readonly identity: Identity
  readonly passkey: PasskeyRecord
}

/**
 * Whose passkey answered; undefined when it is nobody's, was used before, or is not `userId`'s.
 */
export async function provePasskey(
  deps: FlowDeps,
  request: BrowserRequest,
  {
    purpose,
    answer: text,
    userId,
    connectionId,
  }: {
    readonly purpose: Purpose
    readonly answer: string
    /** Undefined: whoever it is. */
    readonly userId?: string
    readonly connectionId?: string
  },
): Promise<ProvenPasskey | undefined> {
  const answer = parseAnswer(text)
  if (answer === undefined || !isString(answer.id)) return undefined
  const found = await findPasskey(deps, answer.id, connectionId)
  if (found === undefined || (userId !== undefined && found.identity.userId !== userId)) return undefined
  const { passkey } = found
  const handle = userHandleOf(answer)
  if (handle !== undefined && handle !== passkey.userHandle) return undefined
  const isOurs = (challenge: string) => consumeChallenge(deps, request, purpose, challenge)
  const party = relyingPartyOf(deps.issuer)
  const counter = await checkPasskey({ party, answer, isOurs }, { ...passkey, id: passkey.subject })
  if (counter === undefined) return undefined
  // Two answers at once of a device that counts: one of them is a copy.
  const won = await deps.storage.transaction((tx) => tx.passkeys.replaceCounter(passkey, passkey.counter, counter))
  return won ? found : undefined
}

/** A credential is known by its id, within the connection of passkeys. */
async function findPasskey(
  { storage }: FlowDeps,
  id: string,
  connectionId: string | undefined,
): Promise<ProvenPasskey | undefined> {
  const passkey =
    connectionId === undefined
      ? await storage.passkeys.findBySubject(id)
      : await storage.passkeys.find(connectionId, id)
  const identity = passkey && (await storage.identities.find(passkey.connectionId, passkey.subject))
  return passkey && identity && { identity, passkey }
}
