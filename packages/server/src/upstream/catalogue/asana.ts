import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const asana: ProviderProfile = oauth2Profile({
  strategy: 'asana',
  name: 'Asana',
  endpoints: {
    authorization: 'https://app.asana.com/-/oauth_authorize',
    token: 'https://app.asana.com/-/oauth_token',
    userinfo: 'https://app.asana.com/api/1.0/users/me',
    revocation: 'https://app.asana.com/-/oauth_revoke',
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    defaults: ['users:read'],
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'always',
    rotates: 'never',
  },
  revocation: {
    takes: 'refresh_token',
  },
  identity: {
    subject: ['data.gid'],
    subjectType: 'string',
    claims: {
      email: 'data.email',
      name: 'data.name',
      picture: 'data.photo.image_128x128',
    },
  },
  api: {
    hosts: ['app.asana.com'],
  },
  evidence: {
    pages: ['https://developers.asana.com/docs/oauth'],
    refresh: 'recalled',
    confidence: 'medium',
    notes: ['Long lived; refresh response omits it.', 'data object holds gid, name, email of the user'],
  },
})
