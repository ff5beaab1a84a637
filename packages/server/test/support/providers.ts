// The upstream providers that the tests' people have accounts at.
import { startGithubProvider, startOAuth2Provider, startOidcProvider } from '@tenon/sdk/testing'

/**
 * - `calendar`: OpenID Connect, RS256, rotating refresh tokens; trusted and authoritative for `example.test`
 * - `work`: OpenID Connect, ES256; trusted and authoritative likewise
 * - `loose`: OpenID Connect whose word on addresses is not trusted
 * - `code`: GitHub-shaped, numeric ids
 * - `files`: plain OAuth2
 */
export async function startProviders() {
  const trusted = { trust_email: true, email_domains: ['example.test'] }
  const [calendar, work, loose, code, files] = await Promise.all([
    startOidcProvider({
      name: 'calendar',
      rotation: 'rotating',
      scope: 'openid profile email offline_access calendar.read',
      connectionOptions: trusted,
    }),
    startOidcProvider({ name: 'work', alg: 'ES256', connectionOptions: trusted }),
    startOidcProvider({ name: 'loose', alg: 'ES256' }),
    startGithubProvider({ name: 'code' }),
    startOAuth2Provider({ name: 'files' }),
  ])
  return { calendar, work, loose, code, files }
}
