// Scopes of our own tokens, and the one that the engine must not see under its own name.
//
// `oidc-provider` drops `offline_access` from a request without `prompt=consent`; Auth0's SDKs never send that prompt.
// Inside the engine the scope therefore has another name.

export const OFFLINE_ACCESS = 'offline_access'
export const ENGINE_OFFLINE_ACCESS = 'tenon:offline_access'

/** Claims by scope, in ID tokens and at user-info. */
export const CLAIMS_BY_SCOPE = {
  openid: ['sub', 'auth_time', 'acr', 'amr'],
  profile: ['name', 'given_name', 'family_name', 'middle_name', 'nickname', 'picture', 'updated_at'],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
} as const

export const OIDC_SCOPES: readonly string[] = [...Object.keys(CLAIMS_BY_SCOPE), ENGINE_OFFLINE_ACCESS]

export const toEngineScope = (scope: string): string =>
  scope
    .split(' ')
    .map((one) => (one === OFFLINE_ACCESS ? ENGINE_OFFLINE_ACCESS : one))
    .join(' ')

export const fromEngineScope = (scope: string): string =>
  scope
    .split(' ')
    .map((one) => (one === ENGINE_OFFLINE_ACCESS ? OFFLINE_ACCESS : one))
    .join(' ')

export const splitScope = (scope: string | undefined): readonly string[] => (scope ?? '').split(' ').filter(Boolean)
