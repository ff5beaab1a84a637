// A client as the protocol engine wants to see it.
import { isJsonObject, isString, type JsonObject, stringsOf } from '../lib/json.ts'
import type { ClientRecord } from '../storage/records.ts'

/** Grant types that the engine serves; the rest have handlers of their own beside it. */
const ENGINE_GRANTS = new Set(['authorization_code', 'refresh_token', 'client_credentials'])

/** Engine metadata (RFC 7591 names) of a client record, and members of ours. Its `client_secret` is the hash. */
export function engineClient({ clientId, secretHash, document }: ClientRecord): JsonObject {
  const grantTypes = stringsOf(document.grant_types).filter((grant) => ENGINE_GRANTS.has(grant))
  const browser = grantTypes.includes('authorization_code')
  return {
    client_id: clientId,
    ...(isString(document.name) ? { client_name: document.name } : {}),
    ...(secretHash === undefined ? {} : { client_secret: secretHash }),
    token_endpoint_auth_method: authMethodOf(document),
    application_type: document.app_type === 'native' ? 'native' : 'web',
    redirect_uris: browser ? stringsOf(document.callbacks) : [],
    response_types: browser ? ['code'] : [],
    grant_types: grantTypes,
    ...(isJsonObject(document.jwks) ? { jwks: document.jwks } : {}),
    ...(document.require_pushed_authorization_requests === true ? { require_pushed_authorization_requests: true } : {}),
    id_token_signed_response_alg: 'RS256',
    firstParty: isFirstParty(document),
    allowedOrigins: originsOf(document),
    ...idTokenMembers(document),
    ...refreshMembers(document),
  }
}

/** How a client proves itself: Auth0's `none`, `client_secret_post`, `client_secret_basic`, or `private_key_jwt`. */
export function authMethodOf(document: JsonObject): string {
  if (isJsonObject(document.client_authentication_methods)) return 'private_key_jwt'
  const method = document.token_endpoint_auth_method
  return isString(method) ? method : 'client_secret_post'
}

export const isPublicClient = (document: JsonObject): boolean => authMethodOf(document) === 'none'

export const isFirstParty = (document: JsonObject): boolean => document.is_first_party !== false

/** Origins whose scripts may call us for this client (auth0-wire.md §0 rule 12). */
export function originsOf(document: JsonObject): readonly string[] {
  const callbacks = stringsOf(document.callbacks).map((uri) => URL.parse(uri)?.origin)
  const named = [...stringsOf(document.web_origins), ...stringsOf(document.allowed_origins)]
  return [...new Set([...named, ...callbacks.filter(isString)])].filter((origin) => origin !== 'null')
}

function idTokenMembers({ jwt_configuration: jwt }: JsonObject): JsonObject {
  const seconds = isJsonObject(jwt) ? jwt.lifetime_in_seconds : undefined
  return typeof seconds === 'number' ? { idTokenSeconds: seconds } : {}
}

const DEFAULT_LIFETIME_SECONDS = 31_557_600
const DEFAULT_IDLE_SECONDS = 2_592_000

/** Public clients rotate unless they say otherwise (RFC 9700 §2.2.2); confidential ones do when they ask for it. */
function refreshMembers(document: JsonObject): JsonObject {
  const settings = isJsonObject(document.refresh_token) ? document.refresh_token : {}
  const rotates = isString(settings.rotation_type) ? settings.rotation_type === 'rotating' : isPublicClient(document)
  const expires = isString(settings.expiration_type) ? settings.expiration_type === 'expiring' : rotates
  const seconds = (name: string, fallback: number) => {
    const given = settings[name]
    return typeof given === 'number' ? given : fallback
  }
  return {
    refreshRotates: rotates,
    ...(typeof settings.leeway === 'number' ? { refreshGraceSeconds: settings.leeway } : {}),
    ...(expires && settings.infinite_token_lifetime !== true
      ? { refreshTokenSeconds: seconds('token_lifetime', DEFAULT_LIFETIME_SECONDS) }
      : {}),
    ...(expires && rotates && settings.infinite_idle_token_lifetime !== true
      ? { refreshIdleSeconds: seconds('idle_token_lifetime', DEFAULT_IDLE_SECONDS) }
      : {}),
    refreshPolicies: Array.isArray(settings.policies) ? settings.policies : [],
  }
}
