import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const intercom: ProviderProfile = oauth2Profile({
  strategy: 'intercom',
  name: 'Intercom',
  endpoints: {
    authorization: 'https://app.intercom.com/oauth',
    token: 'https://api.intercom.io/auth/eagle/token',
    userinfo: 'https://api.intercom.io/me',
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    parameter: undefined,
  },
  refresh: {
    given: 'never',
    rotates: 'never',
  },
  identity: {
    subject: ['id'],
    subjectType: 'string',
    claims: {
      email: 'email',
      email_verified: 'email_verified',
      name: 'name',
      picture: 'avatar.image_url',
    },
  },
  api: {
    headers: {
      accept: 'application/json',
    },
    hosts: ['api.intercom.io'],
  },
  extras: [
    {
      name: 'app_id',
      from: 'userinfo',
      path: 'app.id_code',
    },
    {
      name: 'region',
      from: 'userinfo',
      path: 'app.region',
    },
  ],
  evidence: {
    pages: ['https://developers.intercom.com/docs/build-an-integration/learn-more/authentication/setting-up-oauth'],
    refresh: 'recalled',
    confidence: 'medium',
    uncertain: [
      'authorize url: in no published client library that was compared',
      'token url: in no published client library that was compared',
    ],
    notes: [
      'Access tokens do not end by themselves.',
      'Revoking would uninstall the app for the whole workspace, so that it is left to its owner.',
    ],
  },
})
