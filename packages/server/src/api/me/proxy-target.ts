// Where a call through the proxy leads: one of the hosts that the connection lists, below it the path as it was sent, and
// nothing that a provider might read as another host or another path. Pure.
import { isInNetworks } from '../../lib/networks.ts'
import { ApiRefusal } from '../refusal.ts'

export const PROXY_PREFIX = '/me/v1/proxy/'

export interface ProxyAddress {
  readonly accountId: string
  /** With its slash; no query. */
  readonly path: string
  /** With its question mark, or empty. */
  readonly query: string
}

const ADDRESS = /^\/me\/v1\/proxy\/(cac_[A-Za-z0-9]{1,60})(\/[^?#]*)?(\?[^#]*)?$/
/** Visible ASCII without what a URL holds encoded, and without the backslash that some take for a slash. */
const PLAIN = /^[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7c\x7e]*$/

/** @throws {ApiRefusal} 404, 400 `invalid_uri`. */
export function parseAddress(target: string): ProxyAddress {
  const [, accountId, path = '/', query = ''] = ADDRESS.exec(target) ?? []
  if (accountId === undefined) throw new ApiRefusal(404, 'not_found', 'Not Found')
  if (!PLAIN.test(path) || !PLAIN.test(query) || !isPlainPath(path)) throw invalidUri('The path is not a plain one.')
  return { accountId, path, query }
}

const invalidUri = (message: string): ApiRefusal => new ApiRefusal(400, 'invalid_uri', message)

/** No empty part, and none that climbs, however often it is encoded (T-NET-01). */
function isPlainPath(path: string): boolean {
  const [, ...segments] = path.split('/')
  return segments.every((segment, at) => {
    if (segment === '') return at === segments.length - 1
    const once = decode(segment)
    if (once === undefined) return false
    const twice = decode(once) ?? once
    return ![segment, once, twice].some(climbs)
  })
}

const climbs = (text: string): boolean =>
  /\p{Cc}/u.test(text) || text.split(/[/\\;]/).some((part) => part === '.' || part === '..')

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/**
 * The origin of the host that is asked for, or of the first listed. By https; by http where the host is a literal address
 * of a network that the operator has opened, which the fetcher looks at again.
 *
 * @param wanted a host, with its port where that is not 443.
 * @throws {ApiRefusal} 403 `host_not_allowed`.
 */
export function originOf(
  apiHosts: readonly string[],
  wanted: string | undefined,
  allowedPrivateNetworks: readonly string[],
): string {
  const host = (wanted ?? apiHosts.find((one) => !one.startsWith('*'))?.toLowerCase())?.toLowerCase()
  if (host === undefined || !HOST.test(host) || !apiHosts.some((one) => covers(one.toLowerCase(), host)))
    throw new ApiRefusal(403, 'host_not_allowed', 'The connection lists no such host for its API.')
  const scheme = isOpened(host, allowedPrivateNetworks) ? 'http' : 'https'
  return new URL(`${scheme}://${host}`).origin
}

const HOST = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?$/

/** `*.example.com` is any host right below it. */
function covers(listed: string, host: string): boolean {
  if (!listed.startsWith('*.')) return listed === host
  const dot = host.indexOf('.')
  return dot > 0 && host.slice(dot) === listed.slice(1)
}

/** RFC 6761 §6.3: `localhost` is this machine. */
function isOpened(host: string, networks: readonly string[]): boolean {
  const name = host.replace(/:\d+$/, '')
  return isInNetworks(name === 'localhost' ? '127.0.0.1' : name, networks)
}

/** @throws {ApiRefusal} 400 `invalid_uri`: a parser reads the text otherwise than it stands there. */
export function targetOf(origin: string, { path, query }: ProxyAddress): URL {
  const url = URL.parse(`${origin}${path}${query}`)
  if (url === null || url.origin !== origin || url.pathname !== path || url.search !== (query === '?' ? '' : query))
    throw invalidUri('The path has to be percent-encoded.')
  return url
}
