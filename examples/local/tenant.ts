// What the tenant files of the examples have in common.
import type { AppPlace } from './world.ts'

export const PASSWORDS = 'Username-Password-Authentication'
export const VAULT_GRANT = 'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token'
export const MY_ACCOUNT = '<issuer>me/'

/** Somebody who signs in by password. */
export const ADA = { email: 'ada@example.test', password: 'a lantern under the bridge' } as const

export const adaAccount = { connection: PASSWORDS, email_verified: true, name: 'Ada Lovelace', ...ADA }

export const webClient = ({ url, clientSecret }: AppPlace, callback: string) => ({
  client_id: 'example',
  client_secret: clientSecret,
  name: 'Example',
  app_type: 'regular_web',
  callbacks: [`${url}${callback}`],
  allowed_logout_urls: [url],
  grant_types: ['authorization_code', 'refresh_token'],
})
