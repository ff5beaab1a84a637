// URLs that this server will call, looked at when they are saved (T-NET-01). What a name resolves to is checked at each call.
import { Invalid } from '../domain/errors.ts'
import { isString, type JsonValue } from '../lib/json.ts'
import { literalAddressAllowed } from '../upstream/address-policy.ts'

/** A URL, and where in the document it stands. */
export type PlacedUrl = readonly [place: string, url: string]

/**
 * As far as their text tells: a literal private address outside the networks that are allowed, another scheme, credentials.
 *
 * @throws {Invalid} `address_blocked`, naming the place.
 */
export function requireReachable(urls: readonly PlacedUrl[], allowedPrivateNetworks: readonly string[]): void {
  const blocked = urls.find(([, url]) => !literalAddressAllowed(url, allowedPrivateNetworks))
  if (blocked !== undefined)
    throw new Invalid('address_blocked', `The URL at ${blocked[0]} may not be called by this server.`)
}

/** URLs that only browsers follow; the server never calls them. */
const BROWSER_URLS: ReadonlySet<string> = new Set([
  'help_url',
  'icon_url',
  'logoutUrl',
  'signInEndpoint',
  'signOutEndpoint',
])

/** Those among a connection's options. */
export const urlsOfOptions = (options: JsonValue | undefined): readonly PlacedUrl[] => urlsIn(options, '/options')

function urlsIn(value: JsonValue | undefined, at: string): readonly PlacedUrl[] {
  if (isString(value)) return /^https?:\/\//i.test(value) ? [[at, value]] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]: [string, JsonValue]) => {
    if (BROWSER_URLS.has(key)) return []
    // Providers of which every customer has a host: the URL is made from it.
    const isHost = (key === 'domain' || key === 'tenant_domain') && at === '/options' && isString(inner)
    return urlsIn(isHost && !inner.includes('://') ? `https://${inner}` : inner, `${at}/${key}`)
  })
}
