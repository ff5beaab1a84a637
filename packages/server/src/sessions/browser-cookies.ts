// The two cookies that a browser gets: which browser it is, and whose session it holds.
//
// Both are `__Host-`: no sibling host can plant them (T-LINK-03). The browser cookie must travel with a provider's POST
// from another site, so that it is `SameSite=None`; it opens nothing by itself.
import { parse, serialize } from 'hono/utils/cookie'
import { randomToken, sha256Hex } from '../crypto/hashing.ts'

export const SESSION_COOKIE = '__Host-tenon_session'
export const BROWSER_COOKIE = '__Host-tenon_browser'

export type SameSite = 'lax' | 'none'

/** The value of one cookie in a `Cookie` header. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  return parse(header, name)[name]
}

export interface BrowserIdentity {
  /** Value of the cookie: a secret of this browser. */
  readonly secret: string
  /** SHA-256 (hex) of it: what rows hold. */
  readonly hash: string
  /** A `Set-Cookie` line when the browser did not have one yet. */
  readonly setCookie: string | undefined
}

/** Recognises the browser, or gives it a name. */
export function identifyBrowser(cookieHeader: string | undefined): BrowserIdentity {
  const given = readCookie(cookieHeader, BROWSER_COOKIE)
  if (given !== undefined && given.length >= 32 && given.length <= 128) {
    return { secret: given, hash: sha256Hex(given), setCookie: undefined }
  }
  const secret = randomToken()
  return { secret, hash: sha256Hex(secret), setCookie: serializeHostCookie(BROWSER_COOKIE, secret, 'none') }
}

/** A `Set-Cookie` line; `maxAgeSeconds` 0 removes the cookie, undefined keeps it until the browser closes. */
export function serializeHostCookie(name: string, value: string, sameSite: SameSite, maxAgeSeconds?: number): string {
  return serialize(name, value, {
    path: '/',
    secure: true,
    httpOnly: true,
    sameSite: sameSite === 'none' ? 'None' : 'Lax',
    ...(maxAgeSeconds === undefined ? {} : { maxAge: maxAgeSeconds }),
  })
}
