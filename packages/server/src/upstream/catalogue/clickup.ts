import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const clickup: ProviderProfile = oauth2Profile({
  strategy: 'clickup',
  name: 'ClickUp',
  endpoints: {
    authorization: 'https://app.clickup.com/api',
    token: 'https://api.clickup.com/api/v2/oauth/token',
    userinfo: 'https://api.clickup.com/api/v2/user',
    metadata: 'https://api.clickup.com/api/v2/team',
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
    subject: ['user.id'],
    subjectType: 'integer',
    claims: {
      email: 'user.email',
      name: 'user.username',
      username: 'user.username',
      picture: 'user.profilePicture',
    },
  },
  api: {
    hosts: ['api.clickup.com'],
  },
  extras: [
    {
      name: 'team_ids',
      from: 'metadata',
      path: 'teams.*.id',
    },
  ],
  evidence: {
    pages: ['https://developer.clickup.com/docs/authentication'],
    refresh: 'recalled',
    confidence: 'medium',
    notes: [
      'Access tokens do not expire at present.',
      'Only access_token and token_type',
      'List authorised workspaces with GET /api/v2/team',
    ],
  },
})
