// The grant types that a client may be allowed: RFC names, Auth0's, and the vault's.

/** Auth0's Token Vault exchange. */
export const VAULT_GRANT = 'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token' as const
/** RFC 8693. */
export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange' as const
/** OpenID CIBA Core 1.0. */
export const CIBA_GRANT = 'urn:openid:params:grant-type:ciba' as const
/** RFC 6749 §4.3, and the same naming the connection. */
export const PASSWORD_GRANT = 'password' as const
export const PASSWORD_REALM_GRANT = 'http://auth0.com/oauth/grant-type/password-realm' as const
/** Auth0's: a code of an app, or a recovery code, with the `mfa_token` of a refused `password` grant. */
export const MFA_CODE_GRANT = 'http://auth0.com/oauth/grant-type/mfa-otp' as const
export const MFA_RECOVERY_GRANT = 'http://auth0.com/oauth/grant-type/mfa-recovery-code' as const
/** RFC 8628. */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code' as const

/** Served by the exchange, beside the engine. */
export const EXCHANGE_GRANTS: ReadonlySet<string> = new Set([VAULT_GRANT, TOKEN_EXCHANGE_GRANT])

export const GRANT_TYPES = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'implicit',
  PASSWORD_GRANT,
  PASSWORD_REALM_GRANT,
  'http://auth0.com/oauth/grant-type/passwordless/otp',
  MFA_CODE_GRANT,
  'http://auth0.com/oauth/grant-type/mfa-oob',
  MFA_RECOVERY_GRANT,
  'urn:okta:params:oauth:grant-type:webauthn',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  DEVICE_GRANT,
  CIBA_GRANT,
  TOKEN_EXCHANGE_GRANT,
  VAULT_GRANT,
] as const
