import { oidcProfile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const gitlab: ProviderProfile = oidcProfile({
  strategy: 'gitlab',
  name: 'GitLab',
  endpoints: {
    issuer: 'https://{domain}',
    authorization: 'https://{domain}/oauth/authorize',
    token: 'https://{domain}/oauth/token',
    userinfo: 'https://{domain}/oauth/userinfo',
    revocation: 'https://{domain}/oauth/revoke',
    jwks: 'https://{domain}/oauth/discovery/keys',
  },
  placeholders: {
    domain: {
      means: 'gitlab.com, or the host of a self-managed GitLab',
      default: 'gitlab.com',
    },
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    contains: {
      api: ['read_api', 'read_user', 'read_repository', 'write_repository', 'read_registry', 'write_registry'],
      read_api: ['read_user', 'read_repository', 'read_registry'],
      write_repository: ['read_repository'],
    },
  },
  client: {
    auth: 'client_secret_post',
  },
  token: {
    accessSeconds: 7200,
  },
  refresh: {
    given: 'always',
    rotates: 'always',
    graceSeconds: 0,
  },
  identity: {
    claims: {
      email: 'email',
      email_verified: 'email_verified',
      name: 'name',
      nickname: 'nickname',
      username: 'nickname',
      picture: 'picture',
    },
  },
  api: {
    hosts: ['{domain}'],
  },
  evidence: {
    pages: ['https://docs.gitlab.com/api/oauth2/'],
    refresh: 'recalled',
    notes: [
      'Using a refresh token invalidates the existing access token and refresh token.',
      'created_at plus expires_in',
      'redirect_uri must be sent on refresh by some versions',
    ],
  },
})
