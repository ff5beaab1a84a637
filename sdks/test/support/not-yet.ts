// What Tenon does not do yet, and SDKs can ask for: the reason that the table gives for each call that is refused.
export const NOT_YET = {
  publicExchange: 'an exchange by a profile wants a client that keeps a secret',
  passwordless: 'no codes by mail or message yet',
  mfa: 'no second factors yet',
  federatedDomains: 'no answer to which domains have a provider of their own yet',
  tickets: 'no tickets that verify an address yet',
} as const
