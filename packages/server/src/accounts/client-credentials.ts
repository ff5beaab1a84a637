// Keys by which clients prove themselves. They stand in the client's document under `credentials`; what uses one names its
// id (auth0-wire.md §6.2).
import { sha256Hex } from '../crypto/hashing.ts'
import { readPublicKey } from '../crypto/public-key.ts'
import { Invalid } from '../domain/errors.ts'
import { isJsonObject, isString, type JsonObject, type JsonValue } from '../lib/json.ts'
import { type EpochSeconds, toIso } from '../lib/time.ts'

/** More keys than any client rolls over. */
export const MAX_CREDENTIALS = 20

export const credentialsOf = (document: JsonObject): readonly JsonObject[] =>
  Array.isArray(document.credentials) ? document.credentials.filter(isJsonObject) : []

/** A client's document as others see it: the keys themselves are not part of it. */
export function withoutCredentials(document: JsonObject): JsonObject {
  const { credentials: _, ...rest } = document
  return rest
}

export interface GivenCredential {
  readonly name?: string | undefined
  readonly credential_type?: string | undefined
  readonly pem?: string | undefined
  readonly alg?: string | undefined
  readonly expires_at?: string | undefined
}

/**
 * A key to keep. Its id hangs on client and key, so that the same key has it again when it is given again.
 *
 * @throws {Invalid} `invalid_credential`: no public key that we know signatures by.
 */
export function newCredential(clientId: string, given: GivenCredential, at: EpochSeconds): JsonObject {
  if (given.credential_type !== 'public_key') throw invalid('only credential_type public_key can be used here')
  const key = given.pem === undefined ? undefined : readPublicKey(given.pem)
  if (key === undefined) throw invalid('pem is not a public key: RSA of 2048 bits or more, P-256 or P-384')
  const [usual = ''] = key.algorithms
  const alg = given.alg ?? usual
  if (!key.algorithms.includes(alg))
    throw invalid(`alg does not fit the key, which signs by ${key.algorithms.join(', ')}`)
  return {
    id: `cred_${sha256Hex(`${clientId} ${key.kid}`).slice(0, 22)}`,
    ...(given.name === undefined ? {} : { name: given.name }),
    credential_type: 'public_key',
    kid: key.kid,
    alg,
    pem: key.pem,
    created_at: toIso(at),
    updated_at: toIso(at),
    ...(given.expires_at === undefined ? {} : { expires_at: new Date(given.expires_at).toISOString() }),
  }
}

/**
 * The document with each key that it holds moved to `credentials`, and its id in its place; keys of before stay.
 *
 * @throws {Invalid} `invalid_credential`: a key that is none, or an id that names none.
 */
export function withCredentials(
  document: JsonObject,
  { clientId, before, at }: { clientId: string; before: JsonObject | undefined; at: EpochSeconds },
): JsonObject {
  const kept = new Map(credentialsOf(before ?? {}).map((one) => [String(one.id), one]))
  const moved = (list: JsonValue | undefined): readonly JsonValue[] =>
    (Array.isArray(list) ? list.filter(isJsonObject) : []).map((one) => ({ id: keep(kept, clientId, one, at) }))
  const next = new Map(Object.entries(document))
  const methods = document.client_authentication_methods
  if (isJsonObject(methods) && isJsonObject(methods.private_key_jwt)) {
    const credentials = moved(methods.private_key_jwt.credentials)
    next.set('client_authentication_methods', { ...methods, private_key_jwt: { credentials } })
  }
  const vault = document.token_vault_privileged_access
  if (isJsonObject(vault) && vault.credentials !== undefined)
    next.set('token_vault_privileged_access', { ...vault, credentials: moved(vault.credentials) })
  if (kept.size > MAX_CREDENTIALS) throw invalid(`a client has up to ${MAX_CREDENTIALS} credentials`)
  if (kept.size > 0) next.set('credentials', [...kept.values()])
  return Object.fromEntries(next)
}

function keep(kept: Map<string, JsonObject>, clientId: string, given: JsonObject, at: EpochSeconds): string {
  if (isString(given.id)) {
    if (!kept.has(given.id)) throw invalid('a credential of that id does not exist')
    return given.id
  }
  // The schema of the document has made sure of the members' types.
  const made = newCredential(clientId, given as GivenCredential, at)
  const id = String(made.id)
  if (!kept.has(id)) kept.set(id, made)
  return id
}

/** Something proves itself by this key. */
export function isInUse(document: JsonObject, id: string): boolean {
  const methods = document.client_authentication_methods
  const vault = document.token_vault_privileged_access
  const holders = [isJsonObject(methods) ? methods.private_key_jwt : undefined, vault]
  return holders.some(
    (holder) =>
      isJsonObject(holder) &&
      Array.isArray(holder.credentials) &&
      holder.credentials.some((one: JsonValue) => isJsonObject(one) && one.id === id),
  )
}

const invalid = (message: string) => new Invalid('invalid_credential', message)
