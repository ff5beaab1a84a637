import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const airtable: ProviderProfile = oauth2Profile({
  strategy: 'airtable',
  name: 'Airtable',
  endpoints: {
    authorization: 'https://airtable.com/oauth2/v1/authorize',
    token: 'https://airtable.com/oauth2/v1/token',
    userinfo: 'https://api.airtable.com/v0/meta/whoami',
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    defaults: ['user.email:read'],
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'always',
    rotates: 'always',
    idleSeconds: 5_184_000,
  },
  identity: {
    subject: ['id'],
    subjectType: 'string',
    claims: {
      email: 'email',
    },
  },
  api: {
    hosts: ['api.airtable.com', 'content.airtable.com'],
  },
  evidence: {
    pages: ['https://airtable.com/developers/web/api/oauth-reference'],
    refresh: 'recalled',
    uncertain: [
      'authorize url: in no published client library that was compared',
      'token url: in no published client library that was compared',
    ],
    notes: [
      'refresh_expires_in is returned. Each refresh returns a new refresh token.',
      'refresh_expires_in',
      'state and code_challenge have minimum lengths',
      'User picks bases: a grant may cover only some',
    ],
  },
})
