import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const linear: ProviderProfile = oauth2Profile({
  strategy: 'linear',
  name: 'Linear',
  endpoints: {
    authorization: 'https://linear.app/oauth/authorize',
    token: 'https://api.linear.app/oauth/token',
    userinfo: 'https://api.linear.app/graphql',
    revocation: 'https://api.linear.app/oauth/revoke',
  },
  authorization: {
    accountPicker: {
      prompt: 'consent',
    },
  },
  scopes: {
    defaults: ['read'],
    separator: ',',
    unnamed: ['read'],
    contains: {
      admin: ['write', 'read'],
      write: ['issues:create', 'comments:create', 'timeSchedule:write', 'read'],
    },
  },
  token: {
    accessSeconds: 86_400,
  },
  refresh: {
    given: 'always',
    rotates: 'always',
  },
  identity: {
    subject: ['data.viewer.id'],
    subjectType: 'string',
    claims: {
      email: 'data.viewer.email',
      name: 'data.viewer.name',
      picture: 'data.viewer.avatarUrl',
    },
    userinfo: {
      method: 'POST',
      body: '{"query":"{ viewer { id name email avatarUrl } organization { id urlKey } }"}',
    },
  },
  api: {
    hosts: ['api.linear.app'],
  },
  extras: [
    {
      name: 'organization_id',
      from: 'userinfo',
      path: 'data.organization.id',
    },
  ],
  evidence: {
    pages: ['https://linear.app/developers/oauth-2-0-authentication'],
    uncertain: ['reuse grace for the previous refresh token', 'form of the revocation request'],
    notes: [
      'The scope read is always granted.',
      'All apps have been moved to refresh tokens (read 2026-11: linear.app/docs/oauth/authentication).',
      'prompt=consent lets the person choose another workspace.',
    ],
    changes: [
      {
        date: '2026-04-01',
        what: 'Older apps must have migrated to the refresh-token system.',
        source: 'https://linear.app/developers/oauth-2-0-authentication',
      },
    ],
  },
})
