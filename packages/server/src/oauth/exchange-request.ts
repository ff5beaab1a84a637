// The exchange's parameters off the wire (auth0-wire.md §2.2; RFC 8693 §2.1).
import { TOKEN_EXCHANGE_GRANT, VAULT_GRANT } from '../protocol/grant-types.ts'
import { type ExchangeGrant, ExchangeRefusal } from './exchange-refusal.ts'

/** Parameters by name; what is empty, or says `undefined` as old SDKs do for an optional, is absent. */
export interface Form {
  readonly get: (name: string) => string | undefined
  /** Names that came more than once. */
  readonly repeated: readonly string[]
}

export type ExchangeBody = Readonly<Record<string, string | readonly string[]>>

export function readForm(body: ExchangeBody): Form {
  return {
    get(name) {
      const value = Object.hasOwn(body, name) ? body[name] : undefined
      return typeof value === 'string' && value !== '' && value !== 'undefined' ? value : undefined
    },
    repeated: Object.keys(body).filter((name) => typeof body[name] !== 'string'),
  }
}

/** The grant that a request names; the router sends only these two here. */
export const grantOf = (form: Form): ExchangeGrant =>
  form.get('grant_type') === TOKEN_EXCHANGE_GRANT ? TOKEN_EXCHANGE_GRANT : VAULT_GRANT

/** What to look up before anything is checked: the connection's name (RFC 8693 calls it the audience), or no name. */
export function connectionNameOf(form: Form): string {
  const name = form.get(grantOf(form) === TOKEN_EXCHANGE_GRANT ? 'audience' : 'connection')
  return name === undefined || !isText(name) ? '' : name
}

export const REFRESH_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:refresh_token'
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt'
/** What a worker asks for. */
const VAULT_ACCESS_TOKEN_TYPE = 'http://auth0.com/oauth/token-type/token-vault-access-token'
const FEDERATED_TOKEN_TYPE = 'http://auth0.com/oauth/token-type/federated-connection-access-token'

export interface ExchangeRequest {
  readonly grant: ExchangeGrant
  readonly connection: string
  readonly subjectKind: 'refresh_token' | 'access_token' | 'jwt'
  readonly issuedTokenType: string
  readonly loginHint: string | undefined
  readonly scopes: readonly string[]
  /** What the client wants it for, in its own words. */
  readonly purpose: string | undefined
  readonly minTtlSeconds: number | undefined
  /** Host of the provider's API that the token is for (RFC 8707). */
  readonly resourceHost: string | undefined
}

/** @throws {ExchangeRefusal} `invalid_request`, naming the parameter. */
export function parseExchange(form: Form): ExchangeRequest {
  const [repeated] = form.repeated
  if (repeated !== undefined) throw invalid('a parameter was sent more than once')
  const grant = grantOf(form)
  if (form.get('actor_token') !== undefined) throw invalid('actor_token is not supported')
  if (form.get('subject_token') === undefined) throw invalid('subject_token is required')
  return {
    grant,
    connection: requiredText(form, grant === TOKEN_EXCHANGE_GRANT ? 'audience' : 'connection', MAX_NAME),
    subjectKind: parseSubjectKind(form, grant),
    issuedTokenType: parseRequestedType(form, grant),
    loginHint: optionalText(form, 'login_hint', MAX_HINT),
    scopes: parseScopes(form),
    purpose: optionalText(form, 'purpose', MAX_PURPOSE) ?? optionalText(form, 'audit_context', MAX_PURPOSE),
    minTtlSeconds: parseMinTtl(form),
    resourceHost: parseResource(form),
  }
}

const MAX_NAME = 128
const MAX_HINT = 1024
const MAX_PURPOSE = 256
const MAX_TTL_SECONDS = 86_400

const invalid = (description: string) => new ExchangeRefusal('invalid_request', { description })

function parseSubjectKind(form: Form, grant: ExchangeGrant): ExchangeRequest['subjectKind'] {
  const type = form.get('subject_token_type')
  if (type === REFRESH_TOKEN_TYPE) return 'refresh_token'
  if (type === ACCESS_TOKEN_TYPE) return 'access_token'
  if (type === JWT_TYPE && grant === VAULT_GRANT) return 'jwt'
  throw invalid('subject_token_type is not one that is exchanged here')
}

function parseRequestedType(form: Form, grant: ExchangeGrant): string {
  const type = form.get('requested_token_type')
  if (form.get('subject_token_type') === JWT_TYPE) {
    if (type === VAULT_ACCESS_TOKEN_TYPE) return type
  } else if (type === FEDERATED_TOKEN_TYPE) return type
  // RFC 8693 §2.1: optional; an access token is what there is.
  if (grant === TOKEN_EXCHANGE_GRANT && (type ?? ACCESS_TOKEN_TYPE) === ACCESS_TOKEN_TYPE) return ACCESS_TOKEN_TYPE
  throw invalid('requested_token_type is not one that is given here')
}

// RFC 6749 §3.3; providers' lists also come with commas.
const SCOPES = /^[\x21\x23-\x5B\x5D-\x7E ]+$/

function parseScopes(form: Form): readonly string[] {
  const scope = form.get('scope')
  if (scope === undefined) return []
  if (!SCOPES.test(scope)) throw invalid('scope is malformed')
  return [...new Set(scope.split(/[ ,]+/).filter((one) => one !== ''))]
}

function parseMinTtl(form: Form): number | undefined {
  const text = form.get('min_ttl')
  if (text === undefined) return undefined
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (!(seconds <= MAX_TTL_SECONDS)) throw invalid(`min_ttl is a whole number of seconds up to ${MAX_TTL_SECONDS}`)
  return seconds
}

function parseResource(form: Form): string | undefined {
  const text = form.get('resource')
  if (text === undefined) return undefined
  const url = text.includes('#') ? null : URL.parse(text)
  if (url === null || url.host === '') throw invalid('resource is an absolute URI without a fragment')
  return url.host
}

function requiredText(form: Form, name: string, max: number): string {
  const text = optionalText(form, name, max)
  if (text === undefined) throw invalid(`${name} is required`)
  return text
}

function optionalText(form: Form, name: string, max: number): string | undefined {
  const text = form.get(name)
  if (text === undefined) return undefined
  if (text.length > max) throw invalid(`${name} has at most ${max} characters`)
  if (!isText(text)) throw invalid(`${name} holds characters that are no text`)
  return text
}

const isText = (text: string): boolean => !/\p{Cc}|\p{Cs}/u.test(text)
