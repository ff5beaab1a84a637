// Access tokens as JWTs in Auth0's profile (auth0-wire.md §1.4).
import type { JsonObject } from '../lib/json.ts'
import { fromEngineScope, splitScope } from './scopes.ts'

interface EngineToken {
  readonly kind: string
  readonly grantId?: string
  readonly gty?: string
}

interface TokenParts {
  header?: Record<string, unknown> | undefined
  payload: Record<string, unknown>
}

/**
 * Rewrites the engine's access token. Its `jti` begins with the grant, so that a token is checked against its live grant
 * without a row of its own; `<issuer>userinfo` joins the audience when `openid` was granted.
 */
export function customizeAccessToken(token: EngineToken, jwt: TokenParts, issuer: string): void {
  const { client_id: clientId, scope, aud, jti, ...rest } = jwt.payload
  const scopes = typeof scope === 'string' ? fromEngineScope(scope) : undefined
  const person = token.kind === 'AccessToken'
  const withUserinfo = person && splitScope(scopes).includes('openid')
  jwt.header = { ...jwt.header, typ: 'JWT' }
  jwt.payload = {
    ...rest,
    jti: person && token.grantId !== undefined ? `${token.grantId}.${String(jti)}` : jti,
    sub: person ? rest.sub : `${String(clientId)}@clients`,
    aud: withUserinfo ? [aud, `${issuer}userinfo`] : aud,
    azp: clientId,
    scope: scopes,
    ...grantTypeClaim(token, person),
  }
}

/** The grant that a JWT of ours was issued under. */
export function grantIdOf(claims: JsonObject): string | undefined {
  const { jti } = claims
  if (typeof jti !== 'string' || !jti.includes('.')) return undefined
  return jti.slice(0, jti.indexOf('.'))
}

function grantTypeClaim({ gty }: EngineToken, person: boolean): Record<string, string> {
  if (!person) return { gty: 'client-credentials' }
  if (gty?.endsWith('refresh_token')) return { gty: 'refresh_token' }
  return gty === 'password' ? { gty } : {}
}
