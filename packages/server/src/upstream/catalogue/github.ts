import { genericOAuth2, type ProviderProfile } from './profile.ts'

/** GitHub OAuth Apps and GitHub Apps: the latter's tokens expire and rotate, the former's do neither. */
export const github: ProviderProfile = {
  ...genericOAuth2,
  strategy: 'github',
  endpoints: {
    authorization: 'https://github.com/login/oauth/authorize',
    token: 'https://github.com/login/oauth/access_token',
    userinfo: 'https://api.github.com/user',
    emails: 'https://api.github.com/user/emails',
    revocation: 'https://api.github.com/applications/{client_id}/token',
  },
  defaultScopes: ['read:user', 'user:email'],
  // The answer names the widest scope alone: asking for `repo` and `public_repo` grants `repo`.
  scopeContains: {
    repo: ['public_repo', 'repo:status', 'repo_deployment', 'repo:invite', 'security_events'],
    user: ['read:user', 'user:email', 'user:follow'],
    'admin:org': ['write:org', 'read:org'],
    'write:org': ['read:org'],
    'admin:public_key': ['write:public_key', 'read:public_key'],
    'write:public_key': ['read:public_key'],
    'admin:repo_hook': ['write:repo_hook', 'read:repo_hook'],
    'write:repo_hook': ['read:repo_hook'],
    'admin:gpg_key': ['write:gpg_key', 'read:gpg_key'],
    'write:gpg_key': ['read:gpg_key'],
    'write:packages': ['read:packages'],
    'write:discussion': ['read:discussion'],
    project: ['read:project'],
  },
  // A GitHub App has permissions in place of scopes, and answers with none.
  blankScopeIsSilence: true,
  deadRefreshTokenErrors: ['bad_refresh_token'],
  refreshTokenGraceSeconds: 0,
  revocation: 'delete_json',
  // The numeric id is stable; a login can be renamed and taken by someone else.
  subject: { path: 'id', type: 'integer' },
  // No `email`: the profile's one is public, chosen freely among the account's, and says nothing of its proof.
  claims: { name: 'name', nickname: 'login', username: 'login', picture: 'avatar_url' },
  userinfoHeaders: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
  apiHosts: ['api.github.com'],
}
