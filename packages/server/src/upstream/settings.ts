// A connection's options read against its provider's profile, once, into what the connectors work with.
import type { Connection } from '../domain/connection.ts'
import { isJsonObject, isString, type JsonObject, type JsonValue, stringsOf } from '../lib/json.ts'
import type { ClientAuthMethod, Endpoints, ProviderProfile } from './catalogue/profile.ts'
import { ConnectionUnavailable } from './errors.ts'
import { type ScopeFacts, splitScopes } from './scopes.ts'

export interface ConnectorSettings {
  readonly profile: ProviderProfile
  readonly clientId: string
  /** `undefined`: a public client. */
  readonly clientSecret: string | undefined
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
  readonly subjectPath: string
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
  const given = givenEndpoints(options)
  const { user_id, ...claims } = fieldsMap(options)
  return {
    profile,
    clientId,
    clientSecret: text(options, 'client_secret'),
    endpoints: isVendor(given) ? { ...profile.endpoints, ...given } : given,
    discoveryUrl: text(options, 'discovery_url'),
    isVendor: isVendor(given),
    scopes: scopeFacts(connection, profile),
    pkce: options.pkce_enabled !== false,
    clientAuth: clientAuth(options) ?? profile.clientAuth,
    idTokenAlgorithms: options.id_token_signed_response_algs
      ? stringsOf(options.id_token_signed_response_algs)
      : undefined,
    upstreamParams: upstreamParams(options),
    claims: { ...profile.claims, ...claims },
    subjectPath: subjectPath(profile, user_id),
    apiHosts: options.api_hosts === undefined ? profile.apiHosts : stringsOf(options.api_hosts),
  }
}

/** An endpoint without which the connector cannot work. */
export function requireEndpoint(url: string | undefined, name: keyof Endpoints): string {
  if (url === undefined) throw new ConnectionUnavailable(`the ${name} endpoint is not known`)
  return url
}

/** Endpoints that see secrets come from one family: with one of them replaced, none of the vendor's stays. */
export const isVendor = ({ issuer, authorization, token, userinfo }: Endpoints): boolean =>
  [issuer, authorization, token, userinfo].every((one) => one === undefined)

/** Those that the options name, under whichever name. */
export function givenEndpoints(options: JsonObject): Endpoints {
  const endpoints = isJsonObject(options.endpoints) ? options.endpoints : {}
  const pick = (name: keyof Endpoints, ...others: string[]) =>
    [text(endpoints, name), ...others.map((other) => text(options, other))].find((one) => one !== undefined)
  const given: Record<keyof Endpoints, string | undefined> = {
    issuer: pick('issuer', 'issuer'),
    authorization: pick('authorization', 'authorizationURL', 'authorization_endpoint'),
    token: pick('token', 'tokenURL', 'token_endpoint'),
    userinfo: pick('userinfo', 'userInfoURL', 'userinfo_endpoint'),
    emails: pick('emails'),
    jwks: pick('jwks', 'jwks_uri'),
    revocation: pick('revocation', 'revocationURL', 'revocation_endpoint'),
  }
  return Object.fromEntries(Object.entries(given).filter(([, url]) => url !== undefined))
}

function scopeFacts({ options, connectedAccountsActive }: Connection, profile: ProviderProfile): ScopeFacts {
  const configured = typeof options.scope === 'string' ? splitScopes(options.scope) : stringsOf(options.scope)
  return {
    configured: configured.length > 0 ? configured : profile.defaultScopes,
    requestReplaces: connectedAccountsActive,
    always: profile.alwaysScopes,
    aliases: profile.scopeAliases,
    contains: profile.scopeContains,
  }
}

// What a person can change, and another can then take, identifies nobody (threats T-PRE-06, T-PRE-08).
const CHANGEABLE =
  /(^|[.\]/:])(e?mail|email_?address|login|user_?name|preferred_username|s?am_?account_?name|display_?name|nickname|upn|name|0\.9\.2342\.19200300\.100\.1\.3)$/i

export const isChangeableName = (name: string): boolean => CHANGEABLE.test(name)

function subjectPath(profile: ProviderProfile, mapped: string | undefined): string {
  if (mapped === undefined) return profile.subject.path
  if (profile.strategy !== 'oauth2') throw new ConnectionUnavailable('options.fieldsMap.user_id is for oauth2 alone')
  if (isChangeableName(mapped)) throw new ConnectionUnavailable('options.fieldsMap.user_id names something changeable')
  return mapped
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
