/** What an OpenID provider publishes about itself (OpenID Connect Discovery 1.0, RFC 7517). */
import { type Answer, type Json, jsonAnswer } from './http.ts'
import type { Provider } from './provider.ts'

const NOBODY = { user: undefined, grant: undefined }

export function discovery(provider: Provider): Answer {
  const truth: Json = {
    issuer: provider.issuer,
    authorization_endpoint: provider.endpoint('authorize'),
    token_endpoint: provider.endpoint('token'),
    userinfo_endpoint: provider.endpoint('userinfo'),
    revocation_endpoint: provider.endpoint('revoke'),
    jwks_uri: provider.endpoint('jwks'),
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(provider.keys?.published.map(({ alg }) => alg))],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    revocation_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: [
      ...new Set(['openid', 'profile', 'email', 'offline_access', ...(provider.options.scope?.split(' ') ?? [])]),
    ],
    claims_supported: [
      'iss',
      'aud',
      'sub',
      'iat',
      'exp',
      'auth_time',
      'name',
      'preferred_username',
      'picture',
      'email',
      'email_verified',
    ],
    authorization_response_iss_parameter_supported: provider.shape.sendsIssuer,
  }
  return jsonAnswer(200, provider.tamperDiscovery?.(truth, NOBODY) ?? truth)
}

export function jwks(provider: Provider): Answer {
  const truth: Json = { keys: provider.keys?.published.map(({ jwk }) => jwk) ?? [] }
  return jsonAnswer(200, provider.tamperJwks?.(truth, NOBODY) ?? truth)
}
