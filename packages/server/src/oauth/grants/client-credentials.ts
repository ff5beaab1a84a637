// `client_credentials` (RFC 6749 §4.4) as Auth0 has it: an audience is required, and a client grant says what it gives.
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { isString } from '../../lib/json.ts'
import { audienceToResource, findAudience, grantedScopes } from '../audience.ts'
import { requiredProof, tokenTypeOf } from '../dpop.ts'
import type { EngineDeps } from '../engine.ts'

/** Serves the grant; replaces the engine's own, which knows no client grants. */
export function clientCredentialsGrant(provider: Provider, deps: EngineDeps) {
  return async (ctx: KoaContextWithOIDC): Promise<void> => {
    const { errors } = deps.library
    const { client, params } = ctx.oidc
    if (client === undefined) throw new errors.InvalidClient('client is required')
    const dpop = await requiredProof(provider, ctx, deps)
    const identifier = params?.audience
    if (!isString(identifier)) throw new errors.InvalidRequest('audience is required')
    const audience = await findAudience(deps.storage, {
      identifier,
      clientId: client.clientId,
      subjectType: 'client',
      issuer: deps.issuer,
    })
    if (audience.kind === 'unknown') throw new errors.AccessDenied(`Service not found: ${identifier}`)
    if (audience.kind === 'not_granted') {
      throw new errors.AccessDenied(
        `Client is not authorized to access "${identifier}". You need to create a "client-grant" associated to this API.`,
      )
    }
    const scope = grantedScopes(audience, isString(params?.scope) ? params.scope : undefined).join(' ')
    const token = new provider.ClientCredentials({ client, scope })
    token.resourceServer = new provider.ResourceServer(audienceToResource(identifier), {
      scope: audience.scopes.join(' '),
      audience: identifier,
      accessTokenFormat: 'jwt',
      accessTokenTTL: audience.tokenSeconds ?? deps.settings().accessTokenSeconds,
      jwt: { sign: { alg: audience.signingAlg } },
    })
    if (dpop !== undefined) token.setThumbprint('jkt', dpop.thumbprint)
    const value = await token.save()
    ctx.body = { access_token: value, token_type: tokenTypeOf(dpop), expires_in: token.expiration, scope }
  }
}
