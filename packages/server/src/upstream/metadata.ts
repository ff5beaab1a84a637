// What an OpenID provider says of itself (OpenID Connect Discovery §4, RFC 8414), or what the operator pinned of it.

import { isString, type JsonObject, stringsOf } from '../lib/json.ts'
import type { Clock } from '../lib/time.ts'
import { parseOutgoingUrl } from './address-policy.ts'
import { createCached } from './cached.ts'
import type { ClientAuthMethod } from './catalogue/profile.ts'
import { ConnectionUnavailable, UpstreamRefused } from './errors.ts'
import { parseLosslessObject, toJsonObject } from './lossless-json.ts'
import { requireAvailable, type SafeFetch } from './safe-fetch.ts'
import type { ConnectorSettings } from './settings.ts'
import { isJsonType } from './token-endpoint.ts'

const TTL_SECONDS = 600
const WELL_KNOWN = '/.well-known/openid-configuration'
// Asymmetric alone: with a shared secret everybody who knows it could sign (RFC 8725 §3.1).
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

export interface ProviderMetadata {
  readonly issuer: string
  readonly authorization: string
  readonly token: string
  readonly jwks: string
  readonly userinfo: string | undefined
  readonly revocation: string | undefined
  readonly clientAuth: ClientAuthMethod
  readonly idTokenAlgorithms: readonly string[]
  /** RFC 9207 §3. */
  readonly issuerInAnswers: boolean
}

/**
 * The provider's metadata, ten minutes old at most while the provider can be reached.
 *
 * @throws {UpstreamRefused} `metadata_invalid`, among them a document that names another issuer.
 * @throws {UpstreamUnavailable} never had it, and cannot have it now.
 */
export function createMetadata(dependencies: {
  readonly settings: ConnectorSettings
  readonly fetch: SafeFetch
  readonly clock: Clock
}): () => Promise<ProviderMetadata> {
  const { settings, fetch, clock } = dependencies
  const { issuer, authorization, token, jwks } = settings.endpoints
  if (issuer === undefined && settings.discoveryUrl === undefined) {
    throw new ConnectionUnavailable('neither options.issuer nor options.discovery_url is given')
  }
  if (issuer !== undefined && authorization !== undefined && token !== undefined && jwks !== undefined) {
    const pinned = describe(settings, issuer, {})
    return async () => pinned
  }
  return createCached({ load: () => discover(settings, fetch), ttlSeconds: TTL_SECONDS, clock })
}

async function discover(settings: ConnectorSettings, fetch: SafeFetch): Promise<ProviderMetadata> {
  const { issuer } = settings.endpoints
  const url = settings.discoveryUrl ?? `${(issuer ?? '').replace(/\/$/, '')}${WELL_KNOWN}`
  const answer = await fetch(url, { headers: { accept: 'application/json' } })
  requireAvailable(answer)
  if (answer.status !== 200 || !isJsonType(answer.headers.get('content-type'))) throw invalid(`status ${answer.status}`)
  const document = toJsonObject(parseLosslessObject(answer.text))
  return describe(settings, requireIssuer(document, issuer, url), document)
}

// T-CONN-05: a document that names somebody else would let one provider speak for another.
function requireIssuer(document: JsonObject, configured: string | undefined, url: string): string {
  const named = document.issuer
  const base = url.endsWith(WELL_KNOWN) ? url.slice(0, -WELL_KNOWN.length) : undefined
  // A discovery URL cannot tell whether the issuer ends in a slash.
  const isExpected = configured === undefined ? named === base || named === `${base}/` : named === configured
  if (!isString(named) || !isExpected) throw invalid('issuer')
  return named
}

function describe(settings: ConnectorSettings, issuer: string, document: JsonObject): ProviderMetadata {
  const { endpoints } = settings
  const authorization = endpoints.authorization ?? endpointOf(document, 'authorization_endpoint')
  const token = endpoints.token ?? endpointOf(document, 'token_endpoint')
  const jwks = endpoints.jwks ?? endpointOf(document, 'jwks_uri')
  if (authorization === undefined || token === undefined || jwks === undefined) throw invalid('endpoints')
  return {
    issuer,
    authorization,
    token,
    jwks,
    userinfo: endpoints.userinfo ?? endpointOf(document, 'userinfo_endpoint'),
    revocation: endpoints.revocation ?? endpointOf(document, 'revocation_endpoint'),
    clientAuth: settings.clientAuth ?? announcedClientAuth(document),
    idTokenAlgorithms: acceptedAlgorithms(settings, document),
    issuerInAnswers: document.authorization_response_iss_parameter_supported === true,
  }
}

function endpointOf(document: JsonObject, name: string): string | undefined {
  const value = document[name]
  if (value === undefined || value === null) return undefined
  if (!isString(value) || parseOutgoingUrl(value) === undefined) throw invalid(name)
  return value
}

// `client_secret_basic` is the default when a document names none (RFC 8414 §2).
function announcedClientAuth(document: JsonObject): ClientAuthMethod {
  const announced = stringsOf(document.token_endpoint_auth_methods_supported)
  const onlyPost = announced.includes('client_secret_post') && !announced.includes('client_secret_basic')
  return onlyPost ? 'client_secret_post' : 'client_secret_basic'
}

function acceptedAlgorithms({ idTokenAlgorithms }: ConnectorSettings, document: JsonObject): readonly string[] {
  const announced = stringsOf(document.id_token_signing_alg_values_supported)
  const offered = announced.length > 0 ? announced : ['RS256']
  const wanted = idTokenAlgorithms ?? offered
  return ALGORITHMS.filter((alg) => wanted.includes(alg) && (announced.length === 0 || announced.includes(alg)))
}

function invalid(detail: string): UpstreamRefused {
  return new UpstreamRefused('metadata_invalid', { detail })
}
