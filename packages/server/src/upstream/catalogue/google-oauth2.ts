import { genericOidc, type ProviderProfile } from './profile.ts'

export const googleOAuth2: ProviderProfile = {
  ...genericOidc,
  strategy: 'google-oauth2',
  endpoints: {
    issuer: 'https://accounts.google.com',
    authorization: 'https://accounts.google.com/o/oauth2/v2/auth',
    token: 'https://oauth2.googleapis.com/token',
    userinfo: 'https://openidconnect.googleapis.com/v1/userinfo',
    jwks: 'https://www.googleapis.com/oauth2/v3/certs',
    revocation: 'https://oauth2.googleapis.com/revoke',
  },
  scopeAliases: [
    ['email', 'https://www.googleapis.com/auth/userinfo.email'],
    ['profile', 'https://www.googleapis.com/auth/userinfo.profile'],
  ],
  clientAuth: 'client_secret_post',
  // Google gives a refresh token on the first consent only, unless consent is asked again.
  offlineParameters: { access_type: 'offline', prompt: 'consent' },
  passedThrough: ['access_type', 'include_granted_scopes'],
  accessTokenSeconds: 3600,
  revocationEnds: 'grant',
  // With `hd` the mailbox belongs to a Workspace domain, which can be given to somebody else.
  emailAuthority: { domains: ['gmail.com'], unlessClaim: 'hd' },
  apiHosts: ['www.googleapis.com', 'gmail.googleapis.com', 'people.googleapis.com', 'openidconnect.googleapis.com'],
}
