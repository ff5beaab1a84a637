import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

/** What both kinds of app have in common; how theirs differ is how long tokens live, and whether scopes are asked for. */
export const GITHUB = {
  endpoints: {
    authorization: 'https://github.com/login/oauth/authorize',
    token: 'https://github.com/login/oauth/access_token',
    userinfo: 'https://api.github.com/user',
    revocation: 'https://api.github.com/applications/{client_id}/token',
    emails: 'https://api.github.com/user/emails',
  },
  selfHosted: {
    authorization: 'https://{domain}/login/oauth/authorize',
    token: 'https://{domain}/login/oauth/access_token',
    userinfo: 'https://{domain}/api/v3/user',
    emails: 'https://{domain}/api/v3/user/emails',
    revocation: 'https://{domain}/api/v3/applications/{client_id}/token',
  },
  placeholders: {
    domain: {
      means: 'the host of a GitHub Enterprise Server',
      default: 'github.com',
    },
  },
  revocation: {
    method: 'DELETE',
    body: 'json',
    member: 'access_token',
    takes: 'access_token',
  },
  identity: {
    // The numeric id is stable; a login can be renamed and taken by someone else.
    subject: ['id'],
    subjectType: 'integer',
    // No `email`: the profile's one is public, chosen freely among the account's, and says nothing of its proof.
    claims: {
      name: 'name',
      nickname: 'login',
      username: 'login',
      picture: 'avatar_url',
    },
  },
  api: {
    headers: {
      'user-agent': 'Tenon',
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
    },
    hosts: ['api.github.com'],
  },
} as const

export const GITHUB_REFRESH = {
  given: 'app_setting',
  rotates: 'always',
  graceSeconds: 0,
  deadErrors: ['bad_refresh_token'],
} as const

/** GitHub OAuth Apps, and GitHub Apps that are asked for scopes: the latter's tokens expire and rotate, the former's do neither. */
export const github: ProviderProfile = oauth2Profile({
  strategy: 'github',
  name: 'GitHub',
  ...GITHUB,
  scopes: {
    defaults: ['read:user', 'user:email'],
    // The answer names the widest scope alone: asking for `repo` and `public_repo` grants `repo`.
    contains: {
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
    blankIsSilence: true,
  },
  refresh: GITHUB_REFRESH,
  evidence: {
    pages: [
      'https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps',
      'https://docs.github.com/en/rest/apps/oauth-applications',
    ],
    refresh: 'recalled',
    uncertain: ['pkce (announced by GitHub in 2025; arctic 3.7.0 does not send it, better-auth 1.7.25 does)'],
    notes: [
      'A self-managed server is reached by options.domain; its API lives under /api/v3.',
      'Asks for the account with prompt=select_account since 2024-06-07 (github.blog/changelog/2024-06-07-account-picker-updates-for-oauth-and-github-app-sign-in).',
      'Access tokens do not end by themselves, but for a year without use, or when a user holds more than ten for one app and scope set.',
      'Scopes accumulate: asking for fewer later takes none away.',
    ],
  },
})
