import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const discord: ProviderProfile = oauth2Profile({
  strategy: 'discord',
  name: 'Discord',
  endpoints: {
    authorization: 'https://discord.com/oauth2/authorize',
    token: 'https://discord.com/api/oauth2/token',
    userinfo: 'https://discord.com/api/users/@me',
    revocation: 'https://discord.com/api/oauth2/token/revoke',
  },
  authorization: {
    accountPicker: {
      prompt: 'consent',
    },
  },
  scopes: {
    defaults: ['identify', 'email'],
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 604_800,
  },
  refresh: {
    given: 'always',
    rotates: 'always',
  },
  revocation: {
    ends: 'grant',
  },
  identity: {
    subject: ['id'],
    subjectType: 'string',
    claims: {
      email: 'email',
      email_verified: 'verified',
      name: 'global_name',
      nickname: 'username',
      username: 'username',
    },
  },
  api: {
    hosts: ['discord.com'],
  },
  extras: [
    {
      name: 'guild_id',
      from: 'token_answer',
      path: 'guild.id',
    },
    {
      name: 'webhook_channel_id',
      from: 'token_answer',
      path: 'webhook.channel_id',
    },
  ],
  evidence: {
    pages: ['https://docs.discord.com/developers/topics/oauth2'],
    refresh: 'recalled',
    notes: ['Refresh response carries a new refresh token: store it.', 'Only form-encoded requests are accepted'],
  },
})
