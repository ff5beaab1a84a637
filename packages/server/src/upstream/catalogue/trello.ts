import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const trello: ProviderProfile = oauth2Profile({
  strategy: 'trello',
  name: 'Trello',
  endpoints: {
    userinfo: 'https://api.trello.com/1/members/me?fields=id,username,email',
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    defaults: ['read'],
    separator: ',',
  },
  refresh: {
    given: 'always',
    rotates: 'always',
  },
  identity: {
    subject: ['id'],
    subjectType: 'string',
    claims: {
      email: 'email',
      username: 'username',
      name: 'fullName',
    },
  },
  api: {
    hosts: ['api.trello.com'],
  },
  evidence: {
    pages: [
      'https://developer.atlassian.com/cloud/trello/guides/rest-api/authorization/',
      'https://developer.atlassian.com/cloud/trello/guides/rest-api/oauth-2-confidential-client-usage/',
    ],
    confidence: 'medium',
    uncertain: [
      'authorization, token and revocation endpoints of OAuth 2.0: not published where we could read them; give them in options.endpoints',
    ],
    notes: [
      'Only the OAuth 2.0 way of 2026 is spoken, with PKCE; the classic OAuth 1.0a is not.',
      'Tokens of OAuth 2.0 end, and their refresh tokens rotate.',
    ],
    changes: [
      {
        date: '2026-09-14',
        what: 'OAuth 2.0 (authorization code with PKCE) documented as the newest system.',
        source: 'https://developer.atlassian.com/cloud/trello/guides/rest-api/oauth-2-getting-started/',
      },
    ],
  },
})
