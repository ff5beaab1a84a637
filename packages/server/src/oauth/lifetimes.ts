// How long the engine's artifacts live.
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { EpochSeconds } from '../lib/time.ts'
import { ENGINE_OFFLINE_ACCESS, splitScope } from './scopes.ts'

export const HOUR_SECONDS = 3600
/** Tokens "without" an end: the engine wants a number, and a century is one. */
export const FOREVER_SECONDS = 100 * 365 * 24 * HOUR_SECONDS

interface Lifetimes {
  readonly accessTokenSeconds: number
  readonly codeSeconds: number
  readonly sessionIdleSeconds: number
  readonly sessionAbsoluteSeconds: number
}

/**
 * A client's own sign-in without a refresh token leaves nothing behind once its access token has ended; silent sign-ins
 * would otherwise pile up grants. Anything else counts until somebody ends it.
 */
export function grantSeconds({ oidc }: KoaContextWithOIDC, grant: object, settings: Lifetimes): number {
  const { openid } = grant as { openid?: { scope?: string } }
  if (oidc.client?.firstParty !== true || splitScope(openid?.scope).includes(ENGINE_OFFLINE_ACCESS))
    return FOREVER_SECONDS
  const tokens = Object.values(oidc.resourceServers ?? {}).map((server) => numberOf(server.accessTokenTTL) ?? 0)
  return settings.codeSeconds + Math.max(settings.accessTokenSeconds, ...tokens)
}

/** Use keeps a session from idling out, and never beyond the end that it had from the start. */
export function sessionSeconds(session: { iat?: number }, settings: Lifetimes, now: EpochSeconds): number {
  const end = (session.iat ?? now) + settings.sessionAbsoluteSeconds
  return Math.max(1, Math.min(settings.sessionIdleSeconds, end - now))
}

/** A refresh token that is not used yet: it ends when it lies idle, or at its absolute end. */
export const refreshTokenSeconds = (client: Readonly<Record<string, unknown>>): number =>
  Math.min(
    numberOf(client.refreshTokenSeconds) ?? FOREVER_SECONDS,
    numberOf(client.refreshIdleSeconds) ?? FOREVER_SECONDS,
  )

export const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)
