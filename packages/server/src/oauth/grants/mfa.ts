// Auth0's `mfa-otp` and `mfa-recovery-code`: the second half of a `password` grant. The limits and the record are those of the
// page of the second step.
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { tryFactorCode } from '../../accounts/second-factors.ts'
import { sha256Hex } from '../../crypto/hashing.ts'
import { CODE_AMR } from '../../domain/second-factor.ts'
import { isString } from '../../lib/json.ts'
import { MFA_CODE_GRANT, MFA_RECOVERY_GRANT } from '../../protocol/grant-types.ts'
import { requiredProof } from '../dpop.ts'
import type { EngineDeps } from '../engine.ts'
import { openMfaToken } from './mfa-token.ts'
import { admit, answerWithTokens, refuse } from './password.ts'

export function registerMfaGrants(provider: Provider, deps: EngineDeps): void {
  for (const grantType of [MFA_CODE_GRANT, MFA_RECOVERY_GRANT])
    provider.registerGrantType(grantType, mfaGrant(provider, deps), ['mfa_token', 'otp', 'recovery_code'])
}

/** Serves both grants: which code was sent says which it is. */
function mfaGrant(provider: Provider, deps: EngineDeps) {
  return async (ctx: KoaContextWithOIDC): Promise<void> => {
    const { errors } = deps.library
    const { client, params = {} } = ctx.oidc
    if (client === undefined) throw new errors.InvalidClient('client is required')
    const { mfa_token: token, otp, recovery_code: recovery } = params
    if (!isString(token)) throw new errors.InvalidRequest("missing required parameter 'mfa_token'")
    const kind = isString(otp) ? 'totp' : 'recovery'
    const typed = kind === 'totp' ? otp : recovery
    if (!isString(typed)) throw new errors.InvalidRequest("missing required parameter 'otp' or 'recovery_code'")
    const dpop = await requiredProof(provider, ctx, deps)
    const half = openMfaToken(deps, token, client.clientId)
    const identity = half && (await deps.storage.identities.find(half.connectionId, half.subject))
    if (half === undefined || identity === undefined)
      return refuse(ctx, 403, { error: 'invalid_grant', error_description: 'Malformed or expired mfa_token' })
    // Put there by the endpoint, which knows the proxies that are believed.
    const { clientAddress: ip } = ctx.req as { clientAddress?: string }
    const { clientId } = client
    const by = sha256Hex(`client ${clientId}`)
    const verdict = await tryFactorCode(deps, { userId: identity.userId, kind, typed, by, ip, clientId })
    if (verdict.kind === 'limited') {
      ctx.set('retry-after', String(verdict.retryAfterSeconds))
      return refuse(ctx, 429, { error: 'too_many_requests', error_description: 'Too many failed codes.' })
    }
    if (verdict.kind === 'wrong')
      return refuse(ctx, 403, { error: 'invalid_grant', error_description: 'Invalid code.' })
    const who = await admit(deps, half.connectionId, half.subject, ip)
    if (who === undefined)
      return refuse(ctx, 403, { error: 'invalid_grant', error_description: 'The user is blocked.' })
    return answerWithTokens(provider, ctx, deps, { who, target: half.target, amr: ['pwd', ...CODE_AMR], dpop })
  }
}
