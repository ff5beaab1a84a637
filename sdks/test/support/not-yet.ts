// What Tenon does not do yet, and SDKs can ask for: the reason that the table gives for each call that is refused.
export const NOT_YET = {
  publicExchange: 'an exchange by a profile wants a client that keeps a secret',
  passwordGrant: 'no password grant; people sign in on our pages',
  databaseApi: 'no sign-up and change of password outside of our pages yet',
  passwordless: 'no codes by mail or message yet',
  mfa: 'no second factors yet',
  logoutTokens: 'no back-channel logout yet',
  dpopApi: 'tokens that are bound to a key (DPoP) open no API of ours yet',
  formPost: 'no ID token at the authorization endpoint yet',
  federatedDomains: 'no answer to which domains have a provider of their own yet',
  tokensets: 'the older view of connected accounts is not there',
  tickets: 'no tickets that verify an address yet',
  jobs: 'no jobs yet',
} as const
