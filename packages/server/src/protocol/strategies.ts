// Strategies: what a connection may be. Catalogue names are Auth0's where it has one.

/** The families that are configured in full, without a profile behind them. */
export const GENERIC_STRATEGIES = ['auth0', 'oidc', 'oauth2', 'samlp', 'email', 'passkey', 'api-key', 'basic'] as const

/** Providers of the catalogue, under the names that connections use. */
export const CATALOGUE_STRATEGIES = [
  'google-oauth2',
  'google-apps',
  'github',
  'github-app',
  'windowslive',
  'waad',
  'slack',
  'sign-in-with-slack',
  'slack-oauth-2',
  'okta',
  'auth0-oidc',
  'keycloak',
  'airtable',
  'amazon',
  'apple',
  'asana',
  'atlassian',
  'bitbucket',
  'box',
  'calendly',
  'clickup',
  'discord',
  'docusign',
  'dropbox',
  'facebook',
  'figma',
  'gitlab',
  'hubspot',
  'intercom',
  'linear',
  'linkedin',
  'mailchimp',
  'miro',
  'monday',
  'notion',
  'paypal',
  'pipedrive',
  'quickbooks',
  'reddit',
  'salesforce',
  'salesforce-sandbox',
  'shopify',
  'spotify',
  'strava',
  'stripe-connect',
  'tiktok',
  'trello',
  'twitch',
  'twitter',
  'xero',
  'zendesk',
  'zoho',
  'zoom',
] as const

export const STRATEGIES = [...GENERIC_STRATEGIES, ...CATALOGUE_STRATEGIES] as const

/** Strategies by which nobody signs in: a credential is kept for agents, and that is all. */
export const CREDENTIAL_STRATEGIES: ReadonlySet<string> = new Set(['api-key', 'basic'])

/** Strategies from which no tokens come: nothing for agents to keep. */
export const TOKENLESS_STRATEGIES: ReadonlySet<string> = new Set(['auth0', 'samlp', 'email', 'passkey'])
