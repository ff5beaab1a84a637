// Tenant settings with every default in its place.
import type { JsonObject } from '../lib/json.ts'
import { type JsonReader, readJson } from '../lib/json-reader.ts'

export interface Settings {
  readonly friendlyName: string
  readonly pictureUrl: string | undefined
  readonly accentColor: string | undefined
  readonly supportEmail: string | undefined
  readonly supportUrl: string | undefined
  /** User ids or proven addresses that may enter the console. */
  readonly operators: readonly string[]
  readonly linking: LinkingSettings
  readonly tokens: TokenSettings
  readonly sessions: SessionSettings
  readonly vault: VaultSettings
  readonly rateLimitsEnabled: boolean
  readonly dangerouslyAcceptUserinfoQueryToken: boolean
  readonly defaultAudience: string | undefined
  readonly defaultDirectory: string | undefined
  readonly defaultRedirectionUri: string | undefined
  readonly allowedLogoutUrls: readonly string[]
  /** Discovery names the logout endpoint. */
  readonly logoutEndpointInDiscovery: boolean
  readonly pushedAuthorizationRequests: boolean
  /** Anybody may register a client (RFC 7591). */
  readonly dynamicRegistration: boolean
}

export type LinkPolicy = 'off' | 'suggest' | 'auto_when_authoritative'
export type MetadataMerge = 'keep_primary' | 'deep_merge'

export interface LinkingSettings {
  readonly policy: LinkPolicy
  readonly metadata: MetadataMerge
  readonly reauthenticationSeconds: number
  readonly undoDays: number
}

export interface TokenSettings {
  readonly accessTokenSeconds: number
  readonly codeSeconds: number
  readonly refreshRotationGraceSeconds: number
}

export interface SessionSettings {
  readonly idleSeconds: number
  readonly absoluteSeconds: number
  readonly cookieSameSite: 'lax' | 'none'
  /** A logout that brings no proof of its session asks first. */
  readonly logoutPrompt: boolean
}

export interface VaultSettings {
  readonly refreshTimeoutSeconds: number
  readonly refreshMarginSeconds: number
  readonly publicClientsWithDpop: boolean
  readonly sharing: 'first_party' | 'own_client'
}

/** A receiver of events. Kept apart from the other settings, for its secrets are sealed. */
export interface Webhook {
  readonly url: string
  /** The present secret first; every one of them signs. */
  readonly secrets: readonly string[]
  /** Names of events, or their beginnings with `*` behind. */
  readonly events: readonly string[]
}

const HOUR_SECONDS = 3600

/** Reads a stored settings document; absent members take their defaults. */
export function parseSettings(document: JsonObject): Settings {
  const settings = readJson(document)
  return {
    friendlyName: settings.text('friendly_name') ?? 'Tenon',
    pictureUrl: settings.text('picture_url'),
    accentColor: settings.text('accent_color'),
    supportEmail: settings.text('support_email'),
    supportUrl: settings.text('support_url'),
    operators: settings.strings('operators') ?? [],
    linking: parseLinking(settings.group('linking')),
    tokens: parseTokens(settings.group('tokens')),
    sessions: parseSessions(settings),
    vault: parseVault(settings.group('vault')),
    rateLimitsEnabled: settings.group('rate_limits').flag('enabled', true),
    dangerouslyAcceptUserinfoQueryToken: settings
      .group('compatibility')
      .flag('dangerously_accept_userinfo_query_token', false),
    // Auth0 writes "" where a default is not set.
    defaultAudience: settings.text('default_audience') || undefined,
    defaultDirectory: settings.text('default_directory') || undefined,
    defaultRedirectionUri: settings.text('default_redirection_uri'),
    allowedLogoutUrls: settings.strings('allowed_logout_urls') ?? [],
    logoutEndpointInDiscovery: settings.group('oidc_logout').flag('rp_logout_end_session_endpoint_discovery', true),
    pushedAuthorizationRequests: settings.flag('pushed_authorization_requests_supported', true),
    dynamicRegistration: settings.group('flags').flag('enable_dynamic_client_registration', false),
  }
}

const parseLinking = (linking: JsonReader): LinkingSettings => ({
  policy: linking.word('policy', ['suggest', 'off', 'auto_when_authoritative']),
  metadata: linking.word('metadata', ['keep_primary', 'deep_merge']),
  reauthenticationSeconds: linking.number('reauthentication_seconds') ?? 600,
  undoDays: linking.number('undo_days') ?? 30,
})

const parseTokens = (tokens: JsonReader): TokenSettings => ({
  accessTokenSeconds: tokens.number('access_token_seconds') ?? 86_400,
  codeSeconds: tokens.number('code_seconds') ?? 60,
  refreshRotationGraceSeconds: tokens.number('refresh_rotation_grace_seconds') ?? 10,
})

function parseSessions(settings: JsonReader): SessionSettings {
  const sessions = settings.group('sessions')
  const hours = (key: string, fallback: number) =>
    Math.max(1, Math.round((settings.number(key) ?? fallback) * HOUR_SECONDS))
  return {
    idleSeconds: sessions.number('idle_seconds') ?? hours('idle_session_lifetime', 72),
    absoluteSeconds: sessions.number('absolute_seconds') ?? hours('session_lifetime', 168),
    cookieSameSite: sessions.word('cookie_same_site', ['lax', 'none']),
    logoutPrompt: sessions.flag('oidc_logout_prompt_enabled', true),
  }
}

const parseVault = (vault: JsonReader): VaultSettings => ({
  refreshTimeoutSeconds: vault.number('refresh_timeout_seconds') ?? 10,
  refreshMarginSeconds: vault.number('refresh_margin_seconds') ?? 60,
  publicClientsWithDpop: vault.flag('public_clients_with_dpop', false),
  sharing: vault.word('sharing', ['first_party', 'own_client']),
})

/** The receivers that a settings document names; undefined when it does not speak of them. */
export function parseWebhooks(document: JsonObject): readonly Webhook[] | undefined {
  const settings = readJson(document)
  return settings.has('webhooks') ? settings.objects('webhooks').flatMap(parseWebhook) : undefined
}

function parseWebhook(webhook: JsonReader): readonly Webhook[] {
  const url = webhook.text('url')
  const secret = webhook.text('secret')
  if (url === undefined || secret === undefined) return []
  const previous = webhook.text('previous_secret')
  const secrets = previous === undefined ? [secret] : [secret, previous]
  return [{ url, secrets, events: webhook.strings('events') ?? ['*'] }]
}
