/** Walks one browser through a connector and a provider of the kit. */
import { createHash, randomBytes } from 'node:crypto'
import { after } from 'node:test'
import type { Provider } from '@tenon/sdk/testing'
import type { Connection } from '../../src/domain/connection.ts'
import type { TokenSet } from '../../src/domain/tokenset.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { type Clock, systemClock } from '../../src/lib/time.ts'
import type { AuthorizationRequest, Connector, ExpectedAnswer, UpstreamAccount } from '../../src/upstream/connector.ts'
import { createConnectors } from '../../src/upstream/connectors.ts'
import { createSafeFetch, type SafeFetch } from '../../src/upstream/safe-fetch.ts'

export const CALLBACK = 'http://127.0.0.1:9/login/callback/acme'
export const LOOPBACK = ['127.0.0.0/8']

/** Reaches loopback, as a test installation would be told to. */
export function loopbackFetch(timeoutSeconds = 10): SafeFetch {
  const fetch = createSafeFetch({ allowedPrivateNetworks: LOOPBACK, timeoutSeconds })
  after(() => fetch.close())
  return fetch
}

export function connectionOf(provider: Provider, options: JsonObject = {}, more: Partial<Connection> = {}): Connection {
  const { strategy, options: given } = provider.connection()
  return {
    id: `con_${provider.name}`,
    name: provider.name,
    strategy,
    displayName: undefined,
    // Cast: the kit gives a connection's options as JSON, loosely typed.
    options: { ...(given as JsonObject), ...options },
    authenticationActive: true,
    connectedAccountsActive: true,
    ...more,
  }
}

export function connectorOf(
  provider: Provider,
  options: JsonObject = {},
  { clock = systemClock, fetch = loopbackFetch() }: { clock?: Clock; fetch?: SafeFetch } = {},
  more: Partial<Connection> = {},
): Connector {
  return createConnectors({ fetch, clock }).for(connectionOf(provider, options, more))
}

/** What the provider sent back through the browser, and what we expect of it. */
export interface Leg {
  readonly answer: URLSearchParams
  readonly expected: ExpectedAnswer
}

export async function startLeg(connector: Connector, request: Partial<AuthorizationRequest> = {}): Promise<Leg> {
  const codeVerifier = randomBytes(32).toString('base64url')
  const expected = { redirectUri: CALLBACK, state: randomId(), nonce: randomId(), codeVerifier }
  const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url')
  const scopes = connector.scopes.ask([])
  const url = await connector.authorizationUrl({ ...expected, codeChallenge, scopes, ...request })
  const response = await fetch(url, { redirect: 'manual' })
  const location = response.headers.get('location')
  if (location === null) throw new Error(`the provider did not send the browser back: ${response.status}`)
  return { answer: new URL(location).searchParams, expected }
}

export async function signIn(
  connector: Connector,
  request: Partial<AuthorizationRequest> = {},
): Promise<UpstreamAccount & { readonly tokenset: TokenSet }> {
  const { answer, expected } = await startLeg(connector, request)
  await connector.checkAnswer(answer)
  const account = await connector.redeem(answer, expected)
  const { tokenset } = account
  if (tokenset === undefined) throw new Error('the provider gave no tokens')
  return { ...account, tokenset }
}

const randomId = () => randomBytes(16).toString('base64url')
