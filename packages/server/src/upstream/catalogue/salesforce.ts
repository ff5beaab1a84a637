import { oauth2Profile, variantOf } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const salesforce: ProviderProfile = oauth2Profile({
  strategy: 'salesforce',
  name: 'Salesforce',
  endpoints: {
    authorization: 'https://{domain}/services/oauth2/authorize',
    token: 'https://{domain}/services/oauth2/token',
    userinfo: 'https://{domain}/services/oauth2/userinfo',
    revocation: 'https://{domain}/services/oauth2/revoke',
  },
  placeholders: {
    domain: {
      means: "login.salesforce.com, or the organisation's own host",
      default: 'login.salesforce.com',
    },
  },
  authorization: {
    offlineScopes: ['refresh_token'],
    accountPicker: {
      prompt: 'login',
    },
  },
  scopes: {
    defaults: ['openid', 'id', 'api'],
    aliases: [['refresh_token', 'offline_access']],
    contains: {
      full: ['id', 'profile', 'email', 'address', 'phone', 'openid', 'api', 'web', 'chatter_api', 'custom_permissions'],
    },
    unnamed: ['openid'],
  },
  token: {
    // Its organisation says how long a session lives, and the answer does not; two hours is what most say.
    assumedSeconds: 3600,
  },
  refresh: {
    given: 'offline',
    rotates: 'sometimes',
  },
  identity: {
    subject: ['organization_id', 'user_id'],
    subjectType: 'string',
    claims: {
      email: 'email',
      email_verified: 'email_verified',
      name: 'name',
      nickname: 'nickname',
      username: 'preferred_username',
      picture: 'picture',
    },
  },
  api: {
    hosts: ['*.my.salesforce.com', '*.salesforce.com'],
  },
  extras: [
    {
      name: 'instance_url',
      from: 'token_answer',
      path: 'instance_url',
    },
    {
      name: 'organization_id',
      from: 'userinfo',
      path: 'organization_id',
    },
  ],
  evidence: {
    pages: [
      'https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm&type=5',
      'https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_userinfo_endpoint.htm&type=5',
    ],
    refresh: 'recalled',
    notes: [
      'Lifetime is org policy (never, on first use, or after a set time). Rotation is an app setting. A user keeps a small number of approvals per app; a further authorization drops the oldest.',
      'No expires_in: lifetime is the org session policy; use introspection or refresh on 401 INVALID_SESSION_ID',
      'issued_at is milliseconds as a string',
      'instance_url can change on refresh (org migration): update it each time',
      'id is an identity URL that holds org id and user id',
    ],
  },
})

export const salesforceSandbox: ProviderProfile = variantOf(salesforce, {
  strategy: 'salesforce-sandbox',
  name: 'Salesforce (sandbox)',
  placeholders: { domain: { default: 'test.salesforce.com', means: "test.salesforce.com, or the sandbox's own host" } },
})
