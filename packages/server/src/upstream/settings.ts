// A connection's options read against its provider's profile, once, into what the connectors work with.
import type { Connection } from '../domain/connection.ts'
import { isJsonObject, isString, type JsonObject, type JsonValue, stringsOf } from '../lib/json.ts'
import type { ClientAuthMethod, Endpoints, ProviderProfile } from './catalogue/profile.ts'
import { readSigningKey, type SecretSigner } from './client-secret.ts'
import type { ConnectorTraits } from './connector.ts'
import { ConnectionUnavailable } from './errors.ts'
import { fillingOf } from './placeholders.ts'
import { type ScopeFacts, splitScopes } from './scopes.ts'

export interface ConnectorSettings {
  readonly profile: ProviderProfile
  readonly clientId: string
  /** `undefined`: a public client. */
  readonly clientSecret: string | undefined
  /** Makes the secret, where it is not one that is kept. */
  readonly secretSigner: SecretSigner | undefined
  readonly endpoints: Endpoints
  readonly discoveryUrl: string | undefined
  /** The vendor itself is called, not something in its place. */
  readonly isVendor: boolean
  readonly scopes: ScopeFacts
  readonly pkce: boolean
  readonly clientAuth: ClientAuthMethod | undefined
  /** Narrows what the provider's metadata announces. */
  readonly idTokenAlgorithms: readonly string[] | undefined
  /** Fixed values, or names of the client's own parameters to copy. */
  readonly upstreamParams: readonly UpstreamParam[]
  readonly claims: Readonly<Record<string, string>>
  /** Where the stable id is; several make one id together. */
  readonly subjectPaths: readonly string[]
  readonly authorizationParameters: Readonly<Record<string, string>>
  readonly requiredClaims: Readonly<Record<string, string>>
  readonly apiHosts: readonly string[]
}

export type UpstreamParam =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly alias: string }

/** @throws {ConnectionUnavailable} no `client_id`, or an option of the wrong type. */
export function readSettings(connection: Connection, profile: ProviderProfile): ConnectorSettings {
  const { options } = connection
  const clientId = text(options, 'client_id')
  if (clientId === undefined) throw new ConnectionUnavailable('options.client_id is missing')
  const filling = fillingOf(connection, profile)
  const { endpoints, isVendor } = endpointsOf(options, profile)
  const { user_id, ...claims } = fieldsMap(options)
  const filled = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, filling.fill(value)]))
  return {
    profile,
    clientId,
    ...secretOf(options, profile),
    endpoints,
    discoveryUrl: text(options, 'discovery_url') ?? endpoints.discovery,
    isVendor,
    scopes: scopeFacts(connection, profile),
    pkce: typeof options.pkce_enabled === 'boolean' ? options.pkce_enabled : profile.authorization.pkce,
    clientAuth: clientAuth(options) ?? profile.client.auth,
    idTokenAlgorithms: options.id_token_signed_response_algs
      ? stringsOf(options.id_token_signed_response_algs)
      : undefined,
    upstreamParams: upstreamParams(options),
    claims: { ...profile.identity.claims, ...claims },
    subjectPaths: subjectPaths(profile, user_id),
    authorizationParameters: filled(profile.authorization.parameters),
    requiredClaims: filled(profile.identity.requiredClaims),
    apiHosts: options.api_hosts === undefined ? apiHosts(connection, profile) : stringsOf(options.api_hosts),
  }
}

/** An endpoint without which the connector cannot work. */
export function requireEndpoint(url: string | undefined, name: keyof Endpoints): string {
  if (url === undefined) throw new ConnectionUnavailable(`the ${name} endpoint is not known`)
  return url
}

/** What the vault must know of the provider behind these settings. */
export const traitsOf = ({ profile, apiHosts }: ConnectorSettings): ConnectorTraits => ({
  refreshTokenGraceSeconds: profile.refresh.graceSeconds,
  revocationEnds: profile.revocation.ends,
  refreshTokenEndsAfterSeconds: profile.refresh.absoluteSeconds,
  apiHosts,
  asksWhichAccount: profile.authorization.accountPicker !== undefined,
  apiHeader: { name: profile.api.header, prefix: profile.api.prefix },
})

/**
 * Where the provider is reached, and whether that is the vendor itself. Endpoints that see secrets come from one family: with
 * one of them replaced, none of the vendor's stays.
 *
 * @throws {ConnectionUnavailable} the options leave a place open.
 */
export function endpointsOf(
  options: JsonObject,
  profile: ProviderProfile,
): { readonly endpoints: Endpoints; readonly isVendor: boolean } {
  const given = givenEndpoints(options)
  if (isReplaced(given)) return { endpoints: given, isVendor: false }
  const isOnOwnHost = profile.selfHosted !== undefined && ownHost(options, profile) !== undefined
  const known = isOnOwnHost ? profile.selfHosted : profile.endpoints
  return { endpoints: { ...fillingOf({ options }, profile).endpoints(known), ...given }, isVendor: !isOnOwnHost }
}

const isReplaced = ({ issuer, authorization, token, userinfo }: Endpoints): boolean =>
  [issuer, authorization, token, userinfo].some((one) => one !== undefined)

/** Those that the options name, under whichever name. */
function givenEndpoints(options: JsonObject): Endpoints {
  const endpoints = isJsonObject(options.endpoints) ? options.endpoints : {}
  const pick = (name: keyof Endpoints, ...others: string[]) =>
    [text(endpoints, name), ...others.map((other) => text(options, other))].find((one) => one !== undefined)
  const given: Record<keyof Endpoints, string | undefined> = {
    issuer: pick('issuer', 'issuer'),
    discovery: undefined,
    authorization: pick('authorization', 'authorizationURL', 'authorization_endpoint'),
    token: pick('token', 'tokenURL', 'token_endpoint'),
    refresh: pick('refresh'),
    userinfo: pick('userinfo', 'userInfoURL', 'userinfo_endpoint'),
    emails: pick('emails'),
    metadata: pick('metadata'),
    jwks: pick('jwks', 'jwks_uri'),
    revocation: pick('revocation', 'revocationURL', 'revocation_endpoint'),
  }
  return Object.fromEntries(Object.entries(given).filter(([, url]) => url !== undefined))
}

function ownHost(options: JsonObject, { placeholders }: ProviderProfile): string | undefined {
  const domain = text(options, 'domain')
  return domain === placeholders.domain?.default ? undefined : domain
}

/** Where the provider runs on somebody's own host, that host has its API as well. */
function apiHosts(connection: Connection, profile: ProviderProfile): readonly string[] {
  // A token of something in the vendor's place is nothing that the vendor should see.
  if (isReplaced(givenEndpoints(connection.options))) return []
  const domain = ownHost(connection.options, profile)
  if (profile.selfHosted !== undefined && domain !== undefined) return [domain]
  return profile.api.hosts.map((host) => fillingOf(connection, profile).fill(host))
}

function secretOf(
  options: JsonObject,
  { client }: ProviderProfile,
): Pick<ConnectorSettings, 'clientSecret' | 'secretSigner'> {
  const clientSecret = text(options, 'client_secret')
  const { signedSecretFor: audience } = client
  if (audience === undefined) return { clientSecret, secretSigner: undefined }
  const [keyId, issuer] = [text(options, 'kid'), text(options, 'team_id')]
  if (clientSecret === undefined || keyId === undefined || issuer === undefined)
    throw new ConnectionUnavailable('options.client_secret, options.kid and options.team_id are needed')
  return { clientSecret: undefined, secretSigner: { key: readSigningKey(clientSecret), keyId, issuer, audience } }
}

function scopeFacts({ options, connectedAccountsActive }: Connection, profile: ProviderProfile): ScopeFacts {
  const configured = typeof options.scope === 'string' ? splitScopes(options.scope) : stringsOf(options.scope)
  return {
    configured: configured.length > 0 ? configured : profile.scopes.defaults,
    requestReplaces: connectedAccountsActive,
    always: profile.scopes.always,
    aliases: profile.scopes.aliases,
    prefixes: profile.scopes.prefixes,
    contains: profile.scopes.contains,
    unnamed: profile.scopes.unnamed,
  }
}

// What a person can change, and another can then take, identifies nobody (threats T-PRE-06, T-PRE-08).
const CHANGEABLE =
  /(^|[.\]/:])(e?mail|email_?address|login|user_?name|preferred_username|s?am_?account_?name|display_?name|nickname|upn|name|0\.9\.2342\.19200300\.100\.1\.3)$/i

export const isChangeableName = (name: string): boolean => CHANGEABLE.test(name)

function subjectPaths(profile: ProviderProfile, mapped: string | undefined): readonly string[] {
  if (mapped === undefined) return profile.identity.subject
  if (profile.strategy !== 'oauth2') throw new ConnectionUnavailable('options.fieldsMap.user_id is for oauth2 alone')
  if (isChangeableName(mapped)) throw new ConnectionUnavailable('options.fieldsMap.user_id names something changeable')
  return [mapped]
}

function clientAuth(options: JsonObject): ClientAuthMethod | undefined {
  const method = text(options, 'token_endpoint_auth_method')
  if (method === undefined || method === 'client_secret_basic' || method === 'client_secret_post') return method
  throw new ConnectionUnavailable('options.token_endpoint_auth_method is not supported')
}

function fieldsMap(options: JsonObject): Readonly<Record<string, string>> {
  const map = isJsonObject(options.fieldsMap) ? options.fieldsMap : {}
  // Auth0 takes a list of paths too, first come first served; ours takes one path.
  return Object.fromEntries(Object.entries(map).filter((entry): entry is [string, string] => isString(entry[1])))
}

function upstreamParams(options: JsonObject): readonly UpstreamParam[] {
  const params = isJsonObject(options.upstream_params) ? options.upstream_params : {}
  return Object.entries(params).flatMap(([name, rule]) => upstreamParam(name, rule))
}

function upstreamParam(name: string, rule: JsonValue): readonly UpstreamParam[] {
  if (!isJsonObject(rule)) return []
  if (isString(rule.value)) return [{ name, value: rule.value }]
  return isString(rule.alias) ? [{ name, alias: rule.alias }] : []
}

function text(from: JsonObject, name: string): string | undefined {
  const value = from[name]
  return isString(value) && value !== '' ? value : undefined
}
