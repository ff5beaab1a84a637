/**
 * The codes and tokens that a provider gave out, and what became of them.
 *
 * All tokens of one consent are a family. Instants are milliseconds here, because tests use lives of a second or two.
 */
import { randomBytes } from 'node:crypto'

export interface Family {
  readonly id: string
  readonly userKey: string
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly authTimeMs: number
  dead: boolean
  /** Successful refreshes, retries within the grace included. */
  refreshes: number
  /** The refresh token that is not replaced yet. */
  current: string | undefined
}

/** What a code stands for (RFC 6749 §4.1.2). */
export interface CodeGrant {
  readonly userKey: string
  readonly clientId: string
  readonly redirectUri: string
  /** S256 challenge (RFC 7636). */
  readonly challenge: string | undefined
  readonly nonce: string | undefined
  readonly scopes: readonly string[]
  readonly wantsRefreshToken: boolean
  readonly authTimeMs: number
}

export interface HeldAccessToken {
  readonly family: Family
  readonly scopes: readonly string[]
  expiresAtMs: number
  ended: boolean
}

export interface HeldRefreshToken {
  readonly family: Family
  readonly expiresAtMs: number
  successor: string | undefined
  replacedAtMs: number
}

export type SecretKind = 'code' | 'access_token' | 'refresh_token' | 'id_token'

export interface IssuedSecret {
  readonly kind: SecretKind
  readonly value: string
}

/** `reused`: it was replaced, cannot be retried any more, and its family has just been ended. */
export type RefreshClaim =
  | { readonly kind: 'current' | 'retry'; readonly held: HeldRefreshToken }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'reused'; readonly family: Family }

export type CodeClaim =
  | { readonly kind: 'claimed'; readonly grant: CodeGrant; readonly family: Family }
  | { readonly kind: 'refused' }

const CODE_LIFE_MS = 60_000

export class GrantStore {
  readonly families: Family[] = []
  readonly issued: IssuedSecret[] = []
  reuses = 0
  codeReplays = 0
  readonly #codes = new Map<string, { grant: CodeGrant; expiresAtMs: number; family?: Family }>()
  readonly #accessTokens = new Map<string, HeldAccessToken>()
  readonly #refreshTokens = new Map<string, HeldRefreshToken>()
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  issueCode(grant: CodeGrant): string {
    const code = this.#opaque('code_', 'code')
    this.#codes.set(code, { grant, expiresAtMs: this.#nowMs() + CODE_LIFE_MS })
    return code
  }

  /** Spends a code. One that comes a second time ends what it gave the first time (RFC 6749 §4.1.2). */
  claimCode(code: string | undefined): CodeClaim {
    const held = code === undefined ? undefined : this.#codes.get(code)
    if (held === undefined) return { kind: 'refused' }
    if (held.family !== undefined) {
      this.codeReplays++
      this.endFamily(held.family)
      return { kind: 'refused' }
    }
    if (held.expiresAtMs <= this.#nowMs()) return { kind: 'refused' }
    held.family = this.startFamily(held.grant)
    return { kind: 'claimed', grant: held.grant, family: held.family }
  }

  startFamily(grant: Pick<CodeGrant, 'userKey' | 'clientId' | 'scopes' | 'authTimeMs'>): Family {
    const { userKey, clientId, scopes, authTimeMs } = grant
    const id = randomBytes(8).toString('hex')
    const family: Family = { id, userKey, clientId, scopes, authTimeMs, dead: false, refreshes: 0, current: undefined }
    this.families.push(family)
    return family
  }

  /** @param lifeSeconds undefined: the token has no end of its own */
  issueAccessToken(family: Family, scopes: readonly string[], lifeSeconds: number | undefined, prefix: string): string {
    const token = this.#opaque(prefix, 'access_token')
    const expiresAtMs = lifeSeconds === undefined ? Number.POSITIVE_INFINITY : this.#nowMs() + lifeSeconds * 1000
    this.#accessTokens.set(token, { family, scopes, expiresAtMs, ended: false })
    return token
  }

  issueRefreshToken(family: Family, lifeSeconds: number | undefined, prefix: string): string {
    const token = this.#opaque(prefix, 'refresh_token')
    const expiresAtMs = lifeSeconds === undefined ? Number.POSITIVE_INFINITY : this.#nowMs() + lifeSeconds * 1000
    this.#refreshTokens.set(token, { family, expiresAtMs, successor: undefined, replacedAtMs: 0 })
    family.current = token
    return token
  }

  /** Looks what may be done with a refresh token of this client, and ends its family when it is used again too late. */
  claimRefreshToken(token: string | undefined, clientId: string, graceSeconds: number): RefreshClaim {
    const held = token === undefined ? undefined : this.#refreshTokens.get(token)
    if (held === undefined || held.family.clientId !== clientId || held.family.dead) return { kind: 'unknown' }
    const now = this.#nowMs()
    if (held.expiresAtMs <= now) return { kind: 'unknown' }
    if (held.successor === undefined) return { kind: 'current', held }
    // Only the direct predecessor: an older ancestor shows that somebody else holds a copy.
    const isPrevious = held.successor === held.family.current
    if (isPrevious && now - held.replacedAtMs < graceSeconds * 1000) return { kind: 'retry', held }
    this.reuses++
    this.endFamily(held.family)
    return { kind: 'reused', family: held.family }
  }

  /** Puts a new refresh token in the place of a current one. */
  replaceRefreshToken(held: HeldRefreshToken, lifeSeconds: number | undefined, prefix: string): string {
    const successor = this.issueRefreshToken(held.family, lifeSeconds, prefix)
    held.successor = successor
    held.replacedAtMs = this.#nowMs()
    return successor
  }

  findLiveAccessToken(token: string): HeldAccessToken | undefined {
    const held = this.#accessTokens.get(token)
    if (held === undefined || held.ended || held.family.dead) return undefined
    return held.expiresAtMs > this.#nowMs() ? held : undefined
  }

  /** The family of a token, live or not. */
  findFamily(token: string | undefined): Family | undefined {
    if (token === undefined) return undefined
    return (this.#refreshTokens.get(token) ?? this.#accessTokens.get(token))?.family
  }

  /** Families of one user that still work; of everybody when no user is named. */
  liveFamilies(userKey?: string): readonly Family[] {
    return this.families.filter((one) => !one.dead && (userKey === undefined || one.userKey === userKey))
  }

  hasLiveRefreshToken(userKey: string): boolean {
    const now = this.#nowMs()
    const lives = (token: string) => (this.#refreshTokens.get(token)?.expiresAtMs ?? 0) > now
    return this.liveFamilies(userKey).some(({ current }) => current !== undefined && lives(current))
  }

  endFamily(family: Family): void {
    family.dead = true
  }

  endAccessTokens(belongs: (family: Family) => boolean): void {
    for (const held of this.#accessTokens.values()) if (belongs(held.family)) held.ended = true
  }

  record(kind: SecretKind, value: string): void {
    this.issued.push({ kind, value })
  }

  #opaque(prefix: string, kind: SecretKind): string {
    const value = prefix + randomBytes(27).toString('base64url')
    this.record(kind, value)
    return value
  }
}
