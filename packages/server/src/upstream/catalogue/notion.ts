import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const notion: ProviderProfile = oauth2Profile({
  strategy: 'notion',
  name: 'Notion',
  endpoints: {
    authorization: 'https://api.notion.com/v1/oauth/authorize',
    token: 'https://api.notion.com/v1/oauth/token',
    revocation: 'https://api.notion.com/v1/oauth/revoke',
  },
  authorization: {
    parameters: {
      owner: 'user',
    },
    accountPicker: undefined,
  },
  scopes: {
    parameter: undefined,
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    requestBody: 'json',
    assumedSeconds: 3600,
  },
  refresh: {
    given: 'always',
    rotates: 'always',
  },
  revocation: {
    body: 'json',
  },
  identity: {
    from: 'token_answer',
    // A token reaches one workspace, so that one person has an account in each.
    subject: ['workspace_id', 'owner.user.id'],
    claims: {
      email: 'owner.user.person.email',
      name: 'owner.user.name',
      picture: 'owner.user.avatar_url',
    },
  },
  api: {
    headers: {
      'notion-version': '2022-06-28',
    },
    hosts: ['api.notion.com'],
  },
  extras: [
    {
      name: 'bot_id',
      from: 'token_answer',
      path: 'bot_id',
    },
    {
      name: 'workspace_id',
      from: 'token_answer',
      path: 'workspace_id',
    },
    {
      name: 'workspace_name',
      from: 'token_answer',
      path: 'workspace_name',
    },
  ],
  evidence: {
    pages: [
      'https://developers.notion.com/docs/authorization',
      'https://developers.notion.com/reference/refresh-a-token',
    ],
    confidence: 'medium',
    uncertain: ['access token lifetime', 'refresh token lifetime'],
    notes: [
      'Nobody asks for scopes: the integration has capabilities, and the person picks pages.',
      'Refreshing gives a new access token and a new refresh token (read 2026-11 in the second page).',
      'A grant is known by its bot_id.',
    ],
  },
})
