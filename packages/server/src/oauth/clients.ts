// A client as the protocol engine wants to see it.
import { createPublicKey } from 'node:crypto'
import { type Client, type ClientKey, liveKeys, parseClient } from '../domain/client.ts'
import { isString } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import {
  CIBA_GRANT,
  DEVICE_GRANT,
  MFA_CODE_GRANT,
  MFA_RECOVERY_GRANT,
  PASSWORD_GRANT,
  PASSWORD_REALM_GRANT,
  TOKEN_EXCHANGE_GRANT,
} from '../protocol/grant-types.ts'
import type { ClientRecord } from '../storage/records.ts'

/** Grant types that the engine serves; the rest have handlers of their own beside it. */
const ENGINE_GRANTS: ReadonlySet<string> = new Set([
  'authorization_code',
  'refresh_token',
  'client_credentials',
  CIBA_GRANT,
  DEVICE_GRANT,
  TOKEN_EXCHANGE_GRANT,
  PASSWORD_GRANT,
  PASSWORD_REALM_GRANT,
  MFA_CODE_GRANT,
  MFA_RECOVERY_GRANT,
])

/** Engine metadata (RFC 7591 names) of a client record, and members of ours. Its `client_secret` is the hash. */
export function engineClient(record: ClientRecord, now: EpochSeconds): Record<string, unknown> {
  const client = parseClient(record)
  const grantTypes = client.grantTypes.filter((grant) => ENGINE_GRANTS.has(grant))
  const browser = grantTypes.includes('authorization_code')
  // OpenID Connect by form_post alone, as older web SDKs do it; `engine.ts` refuses every other way of the implicit flow.
  const implicit = browser && !client.publicClient && client.appType === 'regular_web'
  const { refreshToken } = client
  return {
    client_id: client.clientId,
    client_name: client.name,
    ...(client.secretHash === undefined ? {} : { client_secret: client.secretHash }),
    token_endpoint_auth_method: client.authMethod,
    ...(client.authMethod === 'private_key_jwt' ? { jwks: { keys: liveKeys(client.keys, now).map(toJwk) } } : {}),
    application_type: client.appType === 'native' ? 'native' : 'web',
    redirect_uris: browser ? client.callbacks : [],
    response_types: implicit ? ['code', 'id_token'] : browser ? ['code'] : [],
    grant_types: implicit ? [...grantTypes, 'implicit'] : grantTypes,
    ...(client.requirePar ? { require_pushed_authorization_requests: true } : {}),
    ...(client.requireDpop ? { dpop_bound_access_tokens: true } : {}),
    ...(grantTypes.includes(CIBA_GRANT) ? { backchannel_token_delivery_mode: 'poll' } : {}),
    id_token_signed_response_alg: client.idTokenAlg,
    firstParty: client.firstParty,
    allowedOrigins: originsOf(client),
    messageOrigins: client.webOrigins,
    idTokenSeconds: client.idTokenLifetimeSeconds,
    refreshRotates: refreshToken.rotating,
    refreshGraceSeconds: refreshToken.leewaySeconds,
    refreshTokenSeconds: refreshToken.lifetimeSeconds,
    refreshIdleSeconds: refreshToken.idleLifetimeSeconds,
    refreshPolicies: refreshToken.policies,
  }
}

/** Origins whose scripts may call us for this client (auth0-wire.md §0 rule 12). */
export function originsOf(client: Pick<Client, 'callbacks' | 'webOrigins' | 'allowedOrigins'>): readonly string[] {
  const callbacks = client.callbacks.map((uri) => URL.parse(uri)?.origin).filter(isString)
  const origins = new Set([...client.webOrigins, ...client.allowedOrigins, ...callbacks])
  origins.delete('null')
  return [...origins]
}

function toJwk({ id, kid = id, alg, pem }: ClientKey): Record<string, unknown> {
  const jwk = createPublicKey(pem).export({ format: 'jwk' })
  return { ...jwk, ...(kid === undefined ? {} : { kid }), ...(alg === undefined ? {} : { alg }), use: 'sig' }
}
