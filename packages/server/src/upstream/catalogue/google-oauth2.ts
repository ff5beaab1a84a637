import { oidcProfile, variantOf } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const googleOAuth2: ProviderProfile = oidcProfile({
  strategy: 'google-oauth2',
  name: 'Google',
  endpoints: {
    issuer: 'https://accounts.google.com',
    authorization: 'https://accounts.google.com/o/oauth2/v2/auth',
    token: 'https://oauth2.googleapis.com/token',
    userinfo: 'https://openidconnect.googleapis.com/v1/userinfo',
    revocation: 'https://oauth2.googleapis.com/revoke',
    jwks: 'https://www.googleapis.com/oauth2/v3/certs',
  },
  authorization: {
    // Google gives a refresh token on the first consent only, unless consent is asked again.
    offlineParameters: {
      access_type: 'offline',
      prompt: 'consent',
    },
    passedThrough: ['access_type', 'include_granted_scopes'],
  },
  scopes: {
    aliases: [
      ['email', 'https://www.googleapis.com/auth/userinfo.email'],
      ['profile', 'https://www.googleapis.com/auth/userinfo.profile'],
    ],
    contains: {
      'https://www.googleapis.com/auth/calendar': [
        'https://www.googleapis.com/auth/calendar.readonly',
        'https://www.googleapis.com/auth/calendar.events',
        'https://www.googleapis.com/auth/calendar.events.readonly',
      ],
      'https://www.googleapis.com/auth/calendar.events': ['https://www.googleapis.com/auth/calendar.events.readonly'],
      'https://www.googleapis.com/auth/drive': [
        'https://www.googleapis.com/auth/drive.readonly',
        'https://www.googleapis.com/auth/drive.file',
        'https://www.googleapis.com/auth/drive.metadata',
        'https://www.googleapis.com/auth/drive.metadata.readonly',
      ],
      'https://www.googleapis.com/auth/drive.readonly': ['https://www.googleapis.com/auth/drive.metadata.readonly'],
      'https://mail.google.com/': [
        'https://www.googleapis.com/auth/gmail.modify',
        'https://www.googleapis.com/auth/gmail.readonly',
        'https://www.googleapis.com/auth/gmail.compose',
        'https://www.googleapis.com/auth/gmail.send',
      ],
      'https://www.googleapis.com/auth/gmail.modify': [
        'https://www.googleapis.com/auth/gmail.readonly',
        'https://www.googleapis.com/auth/gmail.compose',
        'https://www.googleapis.com/auth/gmail.send',
      ],
    },
  },
  client: {
    auth: 'client_secret_post',
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'first_consent',
    rotates: 'never',
    idleSeconds: 15_724_800,
  },
  revocation: {
    ends: 'grant',
  },
  identity: {
    // With `hd` the mailbox belongs to a Workspace domain, which can be given to somebody else.
    emailAuthority: {
      domains: ['gmail.com'],
      unlessClaim: 'hd',
    },
  },
  api: {
    hosts: ['www.googleapis.com', 'gmail.googleapis.com', 'people.googleapis.com', 'openidconnect.googleapis.com'],
  },
  evidence: {
    pages: [
      'https://developers.google.com/identity/protocols/oauth2/web-server',
      'https://developers.google.com/identity/openid-connect/openid-connect',
    ],
    refresh: 'recalled',
    notes: [
      'Stops working after about six months unused, on user revoke, after 7 days while an external consent screen is in Testing status, on password change when Gmail scopes are present, or when a Google account exceeds 100 live refresh tokens for one client id (oldest dropped silently). Keep the stored refresh token when a response omits it. Time-limited grants return refresh_token_expires_in.',
      'User can untick individual scopes on the consent screen: always compare the returned scope with the request',
      'Scope aliases: email and profile come back as https://www.googleapis.com/auth/userinfo.* URLs',
      'revoking one access token revokes the combined grant',
    ],
  },
})

/** Google Workspace: people of one domain alone, which the ID token must name. */
export const googleApps: ProviderProfile = variantOf(googleOAuth2, {
  strategy: 'google-apps',
  name: 'Google Workspace',
  placeholders: { domain: { means: "the Workspace's primary domain" } },
  authorization: { ...googleOAuth2.authorization, parameters: { hd: '{domain}' } },
  identity: { ...googleOAuth2.identity, requiredClaims: { hd: '{domain}' } },
})
