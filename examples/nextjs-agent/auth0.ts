// `lib/auth0.ts` of the app: the SDK, with Tenon as its domain.
import { Auth0Client } from '@auth0/nextjs-auth0/server'

const { AUTH0_DOMAIN = '', AUTH0_CLIENT_SECRET = '', APP_URL = '' } = process.env

export const CLIENT = { domain: AUTH0_DOMAIN, clientId: 'example', clientSecret: AUTH0_CLIENT_SECRET } as const

export const auth0 = new Auth0Client({
  ...CLIENT,
  // On this machine alone: a host with a port is taken as a whole URL, and `localhost` only with this switch. With a host
  // name of its own Tenon needs neither.
  domain: `https://${AUTH0_DOMAIN}`,
  allowInsecureRequests: true,
  appBaseUrl: APP_URL,
  secret: AUTH0_CLIENT_SECRET,
  authorizationParameters: { scope: 'openid profile email offline_access' },
  enableConnectAccountEndpoint: true,
})
