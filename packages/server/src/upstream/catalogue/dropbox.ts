import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const dropbox: ProviderProfile = oauth2Profile({
  strategy: 'dropbox',
  name: 'Dropbox',
  endpoints: {
    authorization: 'https://www.dropbox.com/oauth2/authorize',
    token: 'https://api.dropboxapi.com/oauth2/token',
    userinfo: 'https://api.dropboxapi.com/2/users/get_current_account',
    revocation: 'https://api.dropboxapi.com/2/auth/token/revoke',
  },
  authorization: {
    offlineParameters: {
      token_access_type: 'offline',
    },
    accountPicker: {
      force_reauthentication: 'true',
    },
    passedThrough: ['include_granted_scopes'],
  },
  scopes: {
    defaults: ['account_info.read'],
    contains: {
      'files.content.write': [],
      'sharing.write': ['sharing.read'],
      'files.metadata.write': ['files.metadata.read'],
      'account_info.write': ['account_info.read'],
    },
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 14_400,
  },
  refresh: {
    given: 'offline',
    rotates: 'never',
  },
  revocation: {
    body: 'none',
    authentication: 'token',
    takes: 'access_token',
    ends: 'grant',
  },
  identity: {
    subject: ['account_id'],
    subjectType: 'string',
    claims: {
      email: 'email',
      email_verified: 'email_verified',
      name: 'name.display_name',
      given_name: 'name.given_name',
      family_name: 'name.surname',
      picture: 'profile_photo_url',
    },
    userinfo: {
      method: 'POST',
    },
  },
  api: {
    hosts: ['api.dropboxapi.com', 'content.dropboxapi.com'],
  },
  extras: [
    {
      name: 'account_id',
      from: 'token_answer',
      path: 'account_id',
    },
    {
      name: 'team_id',
      from: 'token_answer',
      path: 'team_id',
    },
  ],
  evidence: {
    pages: [
      'https://developers.dropbox.com/oauth-guide',
      'https://www.dropbox.com/developers/documentation/http/documentation#authorization',
    ],
    refresh: 'recalled',
    notes: ['Does not expire; the refresh response carries no refresh token.'],
  },
})
