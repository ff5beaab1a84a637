// Who asks: client authentication at the exchange (RFC 6749 §2.3, RFC 7523 §2.2). Exactly one method, the one that the
// client is registered with; every failure gives the same answer (T-AS-08).
import { matchesHash, sha256Hex } from '../crypto/hashing.ts'
import { type ParsedJwt, parseJwt } from '../crypto/jwt.ts'
import type { AuthMethod, Client } from '../domain/client.ts'
import { isString } from '../lib/json.ts'
import type { ReplayMark } from '../storage/records.ts'
import type { AssertionVerifier } from './client-assertion.ts'
import { ClientAuthFailed, PublicClientRefused } from './exchange-refusal.ts'
import type { Form } from './exchange-request.ts'

export type Credentials =
  | {
      readonly kind: 'secret'
      readonly method: Extract<AuthMethod, 'client_secret_post' | 'client_secret_basic'>
      /** Undefined: the client is to be found from the subject token (auth0-wire.md §0 rule 10). */
      readonly clientId: string | undefined
      readonly secret: string
    }
  | { readonly kind: 'assertion'; readonly clientId: string; readonly assertion: ParsedJwt }
  | { readonly kind: 'none'; readonly clientId: string }

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const MAX_ASSERTION_LENGTH = 8192
const AUTHENTICATION_PARAMETERS = ['client_id', 'client_secret', 'client_assertion', 'client_assertion_type']

/** What the request says of its client, unproven. @throws {ClientAuthFailed} nothing, or too much. */
export function readCredentials(form: Form, authorization: string | undefined): Credentials {
  if (form.repeated.some((name) => AUTHENTICATION_PARAMETERS.includes(name))) throw new ClientAuthFailed()
  const [clientId, secret] = [form.get('client_id'), form.get('client_secret')]
  const assertion = form.get('client_assertion')
  const given = [authorization, secret, assertion ?? form.get('client_assertion_type')]
  if (given.filter((one) => one !== undefined).length > 1) throw new ClientAuthFailed()
  if (authorization !== undefined) return readBasic(authorization, clientId)
  if (secret !== undefined) return { kind: 'secret', method: 'client_secret_post', clientId, secret }
  if (assertion !== undefined) return readAssertion(assertion, form.get('client_assertion_type'), clientId)
  if (clientId === undefined) throw new ClientAuthFailed()
  return { kind: 'none', clientId }
}

function readBasic(authorization: string, clientId: string | undefined): Credentials {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  if (encoded === undefined) throw new ClientAuthFailed()
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 1) throw new ClientAuthFailed()
  const [id, secret] = [decodeForm(text.slice(0, colon)), decodeForm(text.slice(colon + 1))]
  if (secret === '' || (clientId !== undefined && clientId !== id)) throw new ClientAuthFailed()
  return { kind: 'secret', method: 'client_secret_basic', clientId: id, secret }
}

/** RFC 6749 §2.3.1: both halves are form-encoded first. */
function decodeForm(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new ClientAuthFailed({ cause })
  }
}

function readAssertion(token: string, type: string | undefined, clientId: string | undefined): Credentials {
  if (type !== ASSERTION_TYPE || token.length > MAX_ASSERTION_LENGTH) throw new ClientAuthFailed()
  const assertion = parseJwt(token)
  const sub = assertion?.claims.sub
  if (assertion === undefined || !isString(sub) || (clientId !== undefined && clientId !== sub))
    throw new ClientAuthFailed()
  return { kind: 'assertion', clientId: sub, assertion }
}

/** Compared with when there is no client, so that its absence takes as long as a wrong secret. */
const NO_SECRET_HASH = sha256Hex('')

export interface Proven {
  readonly client: Client
  /** What an assertion leaves: the proof holds only once it is stored, as the first of its kind. */
  readonly mark: ReplayMark | undefined
}

/** @throws {ClientAuthFailed} @throws {PublicClientRefused} */
export function authenticateClient(
  client: Client | undefined,
  credentials: Credentials,
  verifyAssertion: AssertionVerifier,
): Proven {
  if (credentials.kind === 'none')
    throw client?.publicClient === true ? new PublicClientRefused() : new ClientAuthFailed()
  if (credentials.kind === 'assertion') {
    const mark = client?.authMethod === 'private_key_jwt' ? verifyAssertion(client, credentials.assertion) : undefined
    if (client === undefined || mark === undefined) throw new ClientAuthFailed()
    return { client, mark }
  }
  const equal = matchesHash(credentials.secret, client?.secretHash ?? NO_SECRET_HASH)
  if (!equal || client?.secretHash === undefined || client.authMethod !== credentials.method)
    throw new ClientAuthFailed()
  return { client, mark: undefined }
}
