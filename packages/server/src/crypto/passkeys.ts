// Passkeys (WebAuthn level 3): what a browser is asked, and whether what it answers is right. The person is always verified
// by their device, so that a passkey proves two things at once.
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'

/** An eighth of all modules that a server would load before it listens: they come with the first passkey. */
const library = () => import('@simplewebauthn/server')

/** The server, as devices know it. */
export interface RelyingParty {
  readonly id: string
  readonly origin: string
}

export function relyingPartyOf(issuer: string): RelyingParty {
  const { hostname, origin } = new URL(issuer)
  return { id: hostname, origin }
}

const TIMEOUT_MS = 300_000
/** ES256, EdDSA and RS256 (RFC 9053): what devices have. The library's own list asks node for algorithms that it warns of. */
const ALGORITHMS = [-7, -8, -257]

export interface NewPasskeyQuestion {
  readonly party: RelyingParty
  /** The tenant's name. */
  readonly partyName: string
  readonly challenge: Uint8Array
  /** In base64url. */
  readonly userHandle: string
  readonly userName: string
  readonly displayName: string
  /** Credentials that the person has: none is made twice on one device. */
  readonly known: readonly { readonly id: string; readonly transports: readonly string[] }[]
}

/** Options for `navigator.credentials.create`, as JSON. */
export async function newPasskeyOptions(question: NewPasskeyQuestion): Promise<JsonObject> {
  const { party, partyName, challenge, userHandle, userName, displayName, known } = question
  const { generateRegistrationOptions } = await library()
  const options = await generateRegistrationOptions({
    rpID: party.id,
    rpName: partyName,
    challenge: Uint8Array.from(challenge),
    userID: Uint8Array.from(Buffer.from(userHandle, 'base64url')),
    userName,
    userDisplayName: displayName,
    timeout: TIMEOUT_MS,
    attestationType: 'none',
    supportedAlgorithmIDs: ALGORITHMS,
    excludeCredentials: known.map(({ id, transports }) => ({ id, transports: [...transports] })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  })
  return toJson(options)
}

/** Options for `navigator.credentials.get`, as JSON; without `allowed` the device offers what it has. */
export async function passkeyOptions(
  party: RelyingParty,
  challenge: Uint8Array,
  allowed: NewPasskeyQuestion['known'] = [],
): Promise<JsonObject> {
  const { generateAuthenticationOptions } = await library()
  const options = await generateAuthenticationOptions({
    rpID: party.id,
    challenge: Uint8Array.from(challenge),
    timeout: TIMEOUT_MS,
    userVerification: 'required',
    ...(allowed.length === 0
      ? {}
      : { allowCredentials: allowed.map(({ id, transports }) => ({ id, transports: [...transports] })) }),
  })
  return toJson(options)
}

/** The library's types are looser than JSON: members that are undefined go. */
const toJson = (options: object): JsonObject => JSON.parse(JSON.stringify(options)) as JsonObject

export interface MadePasskey {
  /** In base64url. */
  readonly id: string
  readonly publicKey: Uint8Array
  readonly counter: number
  readonly transports: readonly string[]
}

export interface PasskeyCheck {
  readonly party: RelyingParty
  readonly answer: JsonObject
  /** Whether the challenge, in base64url, is one of ours; asked once. */
  readonly isOurs: (challenge: string) => Promise<boolean>
}

/** Undefined: not the answer to what was asked here. */
export async function checkNewPasskey({ party, answer, isOurs }: PasskeyCheck): Promise<MadePasskey | undefined> {
  const { verifyRegistrationResponse } = await library()
  const verified = await refusal(() =>
    verifyRegistrationResponse({
      // What came is looked at by the library itself, which throws at whatever is not as it must be.
      response: answer as unknown as RegistrationResponseJSON,
      expectedChallenge: isOurs,
      expectedOrigin: party.origin,
      expectedRPID: party.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    }),
  )
  if (verified?.verified !== true) return undefined
  const { id, publicKey, counter, transports = [] } = verified.registrationInfo.credential
  return { id, publicKey, counter, transports: transports.filter(isString) }
}

/** The counter that the device is at; undefined: not the answer to what was asked here. */
export async function checkPasskey(
  { party, answer, isOurs }: PasskeyCheck,
  { id, publicKey, counter }: Pick<MadePasskey, 'id' | 'publicKey' | 'counter'>,
): Promise<number | undefined> {
  const { verifyAuthenticationResponse } = await library()
  const verified = await refusal(() =>
    verifyAuthenticationResponse({
      // As above.
      response: answer as unknown as AuthenticationResponseJSON,
      expectedChallenge: isOurs,
      expectedOrigin: party.origin,
      expectedRPID: party.id,
      credential: { id, publicKey: Uint8Array.from(publicKey), counter },
      requireUserVerification: true,
    }),
  )
  return verified?.verified === true ? verified.authenticationInfo.newCounter : undefined
}

/** `userHandle` of an answer; undefined when the device gave none. */
export function userHandleOf({ response }: JsonObject): string | undefined {
  if (!isJsonObject(response) || !isString(response.userHandle)) return undefined
  return response.userHandle === '' ? undefined : response.userHandle
}

/** The library throws plain errors for whatever does not fit: which one is of no use to whoever sent it. */
async function refusal<T>(check: () => Promise<T>): Promise<T | undefined> {
  try {
    return await check()
  } catch {
    return undefined
  }
}
