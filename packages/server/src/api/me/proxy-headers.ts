// Which headers go through the proxy, either way. Pure.
import type { IncomingHttpHeaders } from 'node:http'

type Values = Readonly<Record<string, string | string[] | undefined>>

/** RFC 9110 §7.6.1: for the next hop alone. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]

const NOT_SENT = new Set([
  ...HOP_BY_HOP,
  // Ours, and the caller's own.
  'authorization',
  'cookie',
  'cookie2',
  'dpop',
  'host',
  'content-length',
  'expect',
  'origin',
  'referer',
  'auth0-client',
  // What says who is where, or that the request means another one.
  'forwarded',
  'via',
  'x-real-ip',
  'x-original-url',
  'x-rewrite-url',
  'x-original-method',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
])
const NOT_SENT_PREFIXES = ['x-forwarded-', 'sec-', 'tenon-', 'cf-', 'proxy-']

/** What goes to the provider, but for the token. */
export function sentHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = namedByConnection(headers.connection)
  return pick(headers, (name) => !NOT_SENT.has(name) && !named.has(name) && !hasPrefix(name, NOT_SENT_PREFIXES))
}

const NOT_PASSED_ON = new Set([
  ...HOP_BY_HOP,
  // The provider's word to a browser, about an origin that is not its own here.
  'set-cookie',
  'set-cookie2',
  'www-authenticate',
  'authentication-info',
  'dpop-nonce',
  'strict-transport-security',
  'clear-site-data',
  'alt-svc',
  'content-security-policy',
  'content-security-policy-report-only',
  'cross-origin-opener-policy',
  'cross-origin-embedder-policy',
  'cross-origin-resource-policy',
  'service-worker-allowed',
  'sourcemap',
  'refresh',
  'nel',
  'report-to',
  'reporting-endpoints',
  'cache-control',
  'x-request-id',
  'vary',
])
const NOT_PASSED_PREFIXES = ['access-control-', 'sec-', 'tenon-', 'proxy-']

/** What comes back from the provider; a redirect to its own host leads through the proxy again. */
export function passedHeaders(
  headers: Values,
  { origin, url, base }: { readonly origin: string; readonly url: URL; readonly base: string },
): Record<string, string | string[]> {
  const named = namedByConnection(headers.connection)
  const passed = pick(
    headers,
    (name) => !NOT_PASSED_ON.has(name) && !named.has(name) && !hasPrefix(name, NOT_PASSED_PREFIXES),
  )
  const { location } = passed
  if (typeof location === 'string') passed.location = locationOf(location, origin, url, base)
  return {
    ...passed,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // What a provider calls a page is none of ours.
    'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
    'tenon-answer': 'provider',
  }
}

function locationOf(location: string, origin: string, url: URL, base: string): string {
  const target = URL.parse(location, url)
  return target?.origin === origin ? `${base}${target.pathname}${target.search}${target.hash}` : location
}

function namedByConnection(value: string | string[] | undefined): ReadonlySet<string> {
  const names = String(value ?? '').split(',')
  return new Set(names.map((name) => name.trim().toLowerCase()))
}

const hasPrefix = (name: string, prefixes: readonly string[]): boolean => prefixes.some((one) => name.startsWith(one))

/** Of a header's value, as HTTP/1.1 takes it. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

function pick(headers: Values, keeps: (name: string) => boolean): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && keeps(name) && [value].flat().every((one) => VALUE.test(one))) kept[name] = value
  }
  return kept
}
