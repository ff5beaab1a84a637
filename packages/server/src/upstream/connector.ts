// What the rest of the server knows of an upstream provider: the same interface whatever it speaks.
import type { CredentialKind, TokenSet } from '../domain/tokenset.ts'
import type { Profile } from '../domain/user.ts'
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'

export interface Connector {
  readonly scopes: ScopeRules
  readonly traits: ConnectorTraits

  /**
   * The provider's authorization URL for one transaction.
   *
   * @throws {UpstreamRefused} the provider's metadata is not what it should be.
   * @throws {UpstreamUnavailable} the metadata cannot be had.
   */
  authorizationUrl(request: AuthorizationRequest): Promise<URL>

  /**
   * The same where the provider wants it posted; such a connector has it, and is asked for no URL.
   *
   * @throws as `authorizationUrl` does.
   */
  authorizationForm?(request: AuthorizationRequest): Promise<AuthorizationForm>

  /**
   * Checks what can be checked before the code is redeemed: one code, no error, the right issuer (RFC 9207). Calls
   * nothing but the provider's metadata.
   *
   * @throws {UpstreamRefused} `access_denied` and `provider_error` when the provider says so, others when the answer is
   *   not one to our request.
   */
  checkAnswer(answer: URLSearchParams): Promise<void>

  /**
   * Redeems the code once, checks the answer fully and reads who it is.
   *
   * @throws {UpstreamRefused} nothing of the answer may be used; `access_denied` and `provider_error` as `checkAnswer`,
   *   where the provider's no stands inside what only now can be read (SAML).
   * @throws {UpstreamUnavailable} the code may be spent; the person starts again.
   */
  redeem(answer: URLSearchParams, expected: ExpectedAnswer): Promise<UpstreamAccount>

  /**
   * The subject that an ID token of the provider's names, which came to us from a client and not from the provider: signed
   * by its keys, for one of its clients that we know, alive, and made a moment ago. Absent where there are no ID tokens.
   *
   * @param audiences ids of clients at the provider, besides our own.
   * @throws {UpstreamRefused} `id_token_invalid`, `subject_invalid`.
   * @throws {UpstreamUnavailable} the provider's keys cannot be had.
   */
  proveSubject?(token: string, audiences: readonly string[]): Promise<string>

  /**
   * RFC 6749 §6. The answer's tokenset has `refreshToken` and `scopes` only when the provider named them: absent means
   * that the old ones stand.
   *
   * @throws {UpstreamRefused} `subject_changed`: the answer is about somebody else. What is stored stands.
   * @throws {UpstreamUnavailable} everything else that is not a clear yes or no: network, 5xx, 429, junk, an error
   *   about our client. What is stored stands.
   */
  refresh(request: RefreshRequest): Promise<RefreshAnswer>

  /**
   * RFC 7009, or the provider's own way. A token that the provider does not know any more is revoked.
   *
   * @throws {UpstreamUnavailable} try again later.
   */
  revoke(token: string, hint: TokenKind): Promise<'revoked' | 'unsupported'>

  /** There instead of everything that leads a person to the provider: they type a credential of theirs on our own page. */
  readonly credential?: CredentialForm

  /** Our own description in the provider's language, for its operator; absent where there is none (OAuth). */
  describeUs?(redirectUri: string): Promise<string>
}

export interface CredentialForm {
  readonly kind: CredentialKind
  /** The provider's page on which one is made. */
  readonly helpUrl: string | undefined
  /** The provider tells whose it is; else an account is called what the person calls it. */
  readonly isChecked: boolean

  /**
   * Takes what was typed, asking the provider whose it is where the connection says how.
   *
   * @throws {UpstreamRefused} `credential_refused`: the provider does not take it; others: its answer is not what it should be.
   * @throws {UpstreamUnavailable} the provider does not say.
   */
  accept(entered: EnteredCredential): Promise<UpstreamAccount>
}

export interface EnteredCredential {
  /** Of `basic`; else empty. */
  readonly username: string
  readonly secret: string
  /** What the person calls the account; `undefined` where it has a name of its own. */
  readonly label: string | undefined
  /** Subject of the account whose credential is replaced, where nobody can tell whose the new one is. */
  readonly replaces: string | undefined
}

export type TokenKind = 'access_token' | 'refresh_token'

export interface AuthorizationRequest {
  readonly redirectUri: string
  readonly state: string
  readonly nonce: string
  /** S256 of the verifier; left out where the connection has PKCE turned off. */
  readonly codeChallenge: string
  /** From `scopes.ask`. */
  readonly scopes: readonly string[]
  /** The tokenset will be kept: ask for a refresh token the way that this provider wants. */
  readonly wantsRefreshToken?: boolean
  /** What our own journey adds: `prompt`, `login_hint`, `max_age`, … Names that carry the protocol are ignored. */
  readonly extra?: Readonly<Record<string, string>>
  /** The client's request to us: source of the connection's `upstream_params` aliases and of what the profile lets through. */
  readonly clientRequest?: Readonly<Record<string, string>>
}

export interface AuthorizationForm {
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

export interface ExpectedAnswer {
  readonly redirectUri: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  /** When `max_age` was sent: refuses an older sign-in at the provider. */
  readonly maxAgeSeconds?: number
  /** When a new sign-in was asked for: refuses an older one, where providers always say when it was (SAML). */
  readonly authenticatedAfter?: EpochSeconds
}

/** Who came back from the provider, and with what. */
export interface UpstreamAccount {
  /** The provider's stable id, exact; unique within the connection. */
  readonly subject: string
  readonly profile: Profile
  /** Canonical (`domain/address.ts`); `undefined` when none was given or it is not an address. */
  readonly email: string | undefined
  /** The provider said JSON `true` about this very address. What that is worth says `gradeOf`. */
  readonly emailVerified: boolean
  /** Domains that the provider itself gives out, this account's kind considered; for `gradeOf`. */
  readonly authoritativeDomains: readonly string[]
  /** What to call the account: login, name or masked address, else the subject. */
  readonly upstreamName: string
  /** `undefined` where providers give none (SAML). */
  readonly tokenset: TokenSet | undefined
  /** Everything that the provider said of the person; never a token. */
  readonly claims: JsonObject
  /** To be kept beside the tokens: where the account's API lives, which sites it reaches. Absent: nothing. */
  readonly extras?: JsonObject
  /** The answer may serve once, wherever it turns up again; a code is its provider's to watch over. */
  readonly once?: { readonly key: string; readonly expiresAt: EpochSeconds }
}

export interface RefreshRequest {
  readonly refreshToken: string
  /** The account's subject: an ID token that names another is refused. */
  readonly subject: string
  /** For the whole call; default 10. */
  readonly timeoutSeconds?: number
}

export type RefreshAnswer =
  | {
      readonly kind: 'refreshed'
      readonly tokenset: TokenSet
      /** What the answer says anew of where the account lives; absent where providers say nothing. */
      readonly extras?: JsonObject
    }
  /** The refresh token is dead as far as the provider says; `reason` is its error code. */
  | { readonly kind: 'invalid_grant'; readonly reason: string }

export interface ScopeRules {
  /** What to ask of the provider when a client asked for `requested` (auth0-wire.md §2.1), with the scopes that always go. */
  ask(requested: readonly string[]): readonly string[]
  /** Those of `wanted` that `granted` does not cover, by the provider's aliases and hierarchy. */
  missing(wanted: readonly string[], granted: readonly string[]): readonly string[]
  /** `granted` in every spelling that the provider knows for it. */
  spellings(granted: readonly string[]): readonly string[]
}

/** The header that carries a token at an API. */
export interface TokenHeader {
  /** In lower case. */
  readonly name: string
  /** Stands before the token, with the blank. */
  readonly prefix: string
}

export const BEARER: TokenHeader = { name: 'authorization', prefix: 'Bearer ' }

/** What is to be known of a provider besides how it is asked. */
export interface ConnectorTraits {
  /** How long the previous refresh token may be retried after a rotation; `undefined` when unknown. */
  readonly refreshTokenGraceSeconds: number | undefined
  /** Whether revoking a token ends it alone, or everything that the account granted to our client. */
  readonly revocationEnds: 'token' | 'grant'
  /** A refresh token ends so long after the consent, however often it is used; `undefined`: it does not, or nobody knows. */
  readonly refreshTokenEndsAfterSeconds: number | undefined
  /** Hosts that the proxy may send this connection's tokens to. */
  readonly apiHosts: readonly string[]
  /** Can be made to ask the person which of their accounts there is meant. */
  readonly asksWhichAccount: boolean
  /** How a token stands on a request to them. */
  readonly apiHeader: TokenHeader
}
