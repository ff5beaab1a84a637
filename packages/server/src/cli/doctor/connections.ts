// Every connection: are its options complete, can its provider be reached, does it say who it is meant to be?
import type { ServerConfig } from '../../config/server-config.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import {
  type Connection,
  CREDENTIAL_STRATEGIES,
  OWN_STRATEGIES,
  PASSWORD_STRATEGY,
  SAML_STRATEGY,
} from '../../domain/connection.ts'
import { type EpochSeconds, systemClock } from '../../lib/time.ts'
import type { Storage } from '../../storage/storage.ts'
import { type Connectors, createConnectors } from '../../upstream/connectors.ts'
import { ConnectionUnavailable, UpstreamRefused, UpstreamUnavailable } from '../../upstream/errors.ts'
import { CATALOGUE, findProfile } from '../../upstream/registry.ts'
import { createSafeFetch, type SafeFetch } from '../../upstream/safe-fetch.ts'
import { createConnectionReader } from '../../vault/connections.ts'
import { type Finding, fail, ok, warn } from './finding.ts'
import { examineSaml } from './saml.ts'

interface Options {
  readonly config: ServerConfig
  readonly storage: Storage
  readonly keyring: Keyring
  readonly tell: (finding: Finding) => void
}

const PAGE = 100
const CLOCK_SECONDS = 60

export async function examineConnections({ config, storage, keyring, tell }: Options): Promise<void> {
  const skews: number[] = []
  const safeFetch = createSafeFetch({ allowedPrivateNetworks: config.dangerouslyAllowUpstreamNetwork })
  const fetch = noteClock(safeFetch, skews)
  const issuer = config.issuer ?? 'http://127.0.0.1/'
  const never = () => Promise.reject(new Error('doctor needs no key'))
  const saml = { issuer, key: never, decryptionKey: never }
  const connectors = createConnectors({ fetch, clock: systemClock, saml })
  const reader = createConnectionReader({ keyring })
  for (let offset = 0; ; offset += PAGE) {
    const { items } = await storage.connections.list({ offset, limit: PAGE })
    for (const record of items) tell(await examine(reader.open(record), { connectors, fetch, issuer }))
    if (items.length < PAGE) break
  }
  await safeFetch.close()
  tell(catalogue())
  const [skew] = skews.sort((a, b) => Math.abs(a) - Math.abs(b))
  // The nearest one counts: a provider may be wrong, all of them hardly.
  if (skew !== undefined && Math.abs(skew) > CLOCK_SECONDS) {
    tell(fail('clock', `${Math.abs(skew)} s away from every provider's`, 'let this machine keep time by NTP'))
  }
}

async function examine(
  connection: Connection,
  { connectors, fetch, issuer }: { connectors: Connectors; fetch: SafeFetch; issuer: string },
): Promise<Finding> {
  const what = connection.name
  if (connection.strategy === PASSWORD_STRATEGY) return ok(what, 'passwords of our own')
  if (OWN_STRATEGIES.has(connection.strategy)) return ok(what, 'a way in of our own')
  const isTyped = CREDENTIAL_STRATEGIES.has(connection.strategy)
  if (!isTyped && !findProfile(connection.strategy) && connection.strategy !== SAML_STRATEGY) {
    return warn(
      what,
      `${connection.strategy} is stored, and not served by this version`,
      'people are told so when they choose it',
    )
  }
  try {
    // Reads the provider's metadata, where it has any, with all checks; nothing is sent to the URL itself.
    const request = {
      redirectUri: `${issuer}login/callback/${what}`,
      state: 'doctor',
      nonce: 'doctor',
      codeChallenge: 'doctor',
    }
    const connector = connectors.for(connection)
    if (isTyped) return ok(what, `typed by people, sent to ${connector.traits.apiHosts.join(', ')}`)
    if (connection.strategy === SAML_STRATEGY)
      return await examineSaml(connection, { fetch, clock: systemClock, issuer })
    const url = await connector.authorizationUrl({ ...request, scopes: [] })
    return withCalendar(ok(what, `${connection.strategy} at ${url.host}`), connection, systemClock())
  } catch (error) {
    if (error instanceof ConnectionUnavailable)
      return fail(what, error.message, 'complete the options of the connection')
    if (error instanceof UpstreamUnavailable)
      return fail(what, error.message, 'is the provider up, and its address right?')
    if (error instanceof UpstreamRefused) return fail(what, describe(error), mendOf(error))
    throw error
  }
}

/** Every provider that a connection can name. */
const catalogue = (): Finding =>
  ok('catalogue', `${CATALOGUE.length} providers: ${CATALOGUE.map(({ strategy }) => strategy).join(', ')}`)

/** What the provider has announced for a day that is still to come. */
export function withCalendar(finding: Finding, { strategy }: Pick<Connection, 'strategy'>, now: EpochSeconds): Finding {
  const today = new Date(now * 1000).toISOString().slice(0, 10)
  const [next] = (findProfile(strategy)?.evidence.changes ?? [])
    .filter(({ date }) => date !== undefined && date > today)
    .sort((one, other) => ((one.date ?? '') < (other.date ?? '') ? -1 : 1))
  return next === undefined
    ? finding
    : warn(finding.what, `${finding.found}; on ${next.date}: ${next.what}`, next.source)
}

const describe = ({ message, code, detail }: UpstreamRefused) =>
  `${message}${message.includes(code) ? '' : ` (${code})`}${detail && !message.includes(detail) ? `: ${detail}` : ''}`

const mendOf = ({ code }: UpstreamRefused) =>
  code === 'address_blocked'
    ? 'a private address: name its network in --dangerously-allow-upstream-network, if that is meant'
    : 'compare the options with what the provider publishes of itself'

/** The same fetch, noting how far the other side's clock is from ours. */
function noteClock(fetch: SafeFetch, skews: number[]): SafeFetch {
  const noted: SafeFetch = Object.assign(
    async (...[url, request]: Parameters<SafeFetch>) => {
      const answer = await fetch(url, request)
      const at = Date.parse(answer.headers.get('date') ?? '')
      if (Number.isFinite(at)) skews.push(Math.round(at / 1000) - systemClock())
      return answer
    },
    { close: () => fetch.close() },
  )
  return noted
}
