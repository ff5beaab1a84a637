import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const amazon: ProviderProfile = oauth2Profile({
  strategy: 'amazon',
  name: 'Amazon (Login with Amazon)',
  endpoints: {
    authorization: 'https://www.amazon.com/ap/oa',
    token: 'https://api.amazon.com/auth/o2/token',
    userinfo: 'https://api.amazon.com/user/profile',
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    defaults: ['profile'],
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'always',
    rotates: 'never',
  },
  identity: {
    subject: ['user_id'],
    subjectType: 'string',
    claims: {
      email: 'email',
      name: 'name',
    },
  },
  api: {
    hosts: ['api.amazon.com'],
  },
  evidence: {
    pages: ['https://developer.amazon.com/docs/login-with-amazon/authorization-code-grant.html'],
    refresh: 'recalled',
    confidence: 'medium',
  },
})
