// What is particular to a provider, as data: `oidc.ts` and `oauth2.ts` carry it out. A quirk is a field, not a branch.
import type { SubjectType } from '../subject.ts'
import type { Evidence } from './evidence.ts'

export interface ProviderProfile {
  readonly strategy: string
  /** The provider's own name. */
  readonly name: string
  readonly protocol: 'oidc' | 'oauth2'
  /** `{domain}` and `{tenant}` stand for the connection's options; `{tid}` of an issuer for the ID token's own claim. */
  readonly endpoints: Endpoints
  /** Instead of `endpoints` where the connection has `options.domain`: the provider's software on somebody's own host. */
  readonly selfHosted: Endpoints | undefined
  readonly placeholders: Placeholders
  readonly authorization: AuthorizationQuirks
  readonly scopes: ScopeQuirks
  readonly client: ClientQuirks
  readonly token: TokenQuirks
  readonly refresh: RefreshQuirks
  readonly revocation: RevocationForm
  readonly identity: IdentityQuirks
  /** How an API of the provider is called with a token. */
  readonly api: ApiQuirks
  /** Kept with the account beside its tokens: where its API lives, which sites it reaches. */
  readonly extras: readonly ExtraRule[]
  readonly evidence: Evidence
}

export interface Endpoints {
  readonly issuer?: string | undefined
  /** Discovery document, where it is not at the issuer. */
  readonly discovery?: string | undefined
  readonly authorization?: string | undefined
  readonly token?: string | undefined
  /** Where refresh tokens go, when that is not the token endpoint. */
  readonly refresh?: string | undefined
  /** `{access_token}` stands for the token that was just received. */
  readonly userinfo?: string | undefined
  /** A list of addresses, where they are not part of the user-info answer. */
  readonly emails?: string | undefined
  /** What else has to be asked about the account, for `extras`. */
  readonly metadata?: string | undefined
  readonly jwks?: string | undefined
  /** `{client_id}` stands for our client id, `{token}` for the token to be revoked. */
  readonly revocation?: string | undefined
}

/** What may stand for `{domain}` and `{tenant}`; without a default the connection's options must say. */
export interface Placeholders {
  readonly domain?: { readonly default?: string; readonly means: string }
  readonly tenant?: { readonly default?: string; readonly means: string; readonly any?: readonly string[] }
}

export interface AuthorizationQuirks {
  /** Sent with every request; `{domain}` as in endpoints. */
  readonly parameters: Readonly<Record<string, string>>
  /** Added when a refresh token is wanted. */
  readonly offlineParameters: Readonly<Record<string, string>>
  readonly offlineScopes: readonly string[]
  /** What makes the provider ask which account; `undefined`: it cannot be made to. */
  readonly accountPicker: Readonly<Record<string, string>> | undefined
  /** Parameters of the client's own request to us that are handed through. */
  readonly passedThrough: readonly string[]
  /** How the answer comes back: some post it. */
  readonly responseMode: 'form_post' | undefined
  /** PKCE is sent unless the connection says otherwise. */
  readonly pkce: boolean
}

export interface ScopeQuirks {
  /** Asked for when the connection names none. */
  readonly defaults: readonly string[]
  /** Sent with every request. */
  readonly always: readonly string[]
  /** Name of the parameter; `undefined`: the app's registration decides, and nothing is sent. */
  readonly parameter: string | undefined
  readonly separator: ' ' | ','
  /** Groups of spellings that mean the same. */
  readonly aliases: readonly (readonly string[])[]
  /** With one of these in front, a scope means the same as without. */
  readonly prefixes: readonly string[]
  /** Scope → what it contains. */
  readonly contains: Readonly<Record<string, readonly string[]>>
  /** Granted without being named in the answer. */
  readonly unnamed: readonly string[]
  /** Member of it that names what was granted. */
  readonly grantedMember: string
  /** `callback`: in the query of the browser's way back. `userinfo`: in what is asked with the token. */
  readonly grantedIn: 'token_answer' | 'callback' | 'userinfo'
  /** Written as one text, or as a list of texts. */
  readonly grantedForm: 'text' | 'list'
  /** An empty `scope` in an answer says nothing, rather than that nothing was granted. */
  readonly blankIsSilence: boolean
}

export interface ClientQuirks {
  /** How our client authenticates at the token endpoint; `undefined` when the provider's metadata decides. */
  readonly auth: ClientAuthMethod | undefined
  readonly idParameter: 'client_id' | 'client_key'
  /** The secret is a JWT that we sign with the key of `options.client_secret`, for this audience. */
  readonly signedSecretFor: string | undefined
}

export type ClientAuthMethod = 'client_secret_basic' | 'client_secret_post'

export interface TokenQuirks {
  readonly requestBody: 'form' | 'json'
  /** Dotted path to the object that holds the tokens; empty: the answer itself. */
  readonly at: string
  /** Names of token types, besides `Bearer`, that are bearer tokens. */
  readonly types: readonly string[]
  /** Dotted paths to the error code, the first that is there. A status of 200 makes no difference. */
  readonly errors: readonly string[]
  /** Further fields of the requests. */
  readonly fields: Readonly<Record<string, string>>
  /** How long an access token lives when the answer does not say; `undefined`: until it is revoked. */
  readonly accessSeconds: number | undefined
  /** How long one is trusted whose end nobody tells, where there is a refresh token to get another; `undefined`: until then. */
  readonly assumedSeconds: number | undefined
}

export interface RefreshQuirks {
  readonly given: 'always' | 'offline' | 'first_consent' | 'app_setting' | 'never'
  readonly rotates: 'always' | 'never' | 'sometimes'
  /** How long the previous refresh token may be retried after a rotation; `undefined` when unknown. */
  readonly graceSeconds: number | undefined
  /** Ends then, however often it is used; counted from the consent. */
  readonly absoluteSeconds: number | undefined
  /** Ends when it was not used, or not replaced, for so long. */
  readonly idleSeconds: number | undefined
  /** Error codes, besides `invalid_grant`, by which the provider says that a refresh token is dead. */
  readonly deadErrors: readonly string[]
}

/** How a token is revoked where there is an endpoint for it. */
export interface RevocationForm {
  readonly method: 'POST' | 'DELETE'
  readonly body: 'form' | 'json' | 'none'
  /** Name of the body's member that holds the token. */
  readonly member: string
  /** Our client's credentials, the token itself as at the API, or nothing more. */
  readonly authentication: 'client' | 'token' | 'none'
  readonly takes: 'both' | 'access_token' | 'refresh_token'
  readonly ends: 'token' | 'grant'
}

export interface IdentityQuirks {
  readonly from: 'id_token' | 'userinfo' | 'token_answer'
  /** Where the stable id is, and how it is written; several make one id together. */
  readonly subject: readonly string[]
  readonly subjectType: SubjectType
  /** Claims that must have this value; `{domain}` as in endpoints. */
  readonly requiredClaims: Readonly<Record<string, string>>
  /** Our claim → dotted path in the user-info answer, or in the token answer where there is no user-info endpoint. */
  readonly claims: Readonly<Record<string, string>>
  /** Values of `email_verified` that count; an empty list: nothing that it says. `present`: that there is an address. */
  readonly verifiedBy: readonly ('true' | 'text' | 'one' | 'present')[]
  readonly emailList: {
    readonly at: string
    readonly email: string
    readonly primary: string
    readonly verified: string
  }
  readonly userinfo: { readonly method: 'GET' | 'POST'; readonly body?: string }
  /** Domains whose mailboxes the provider gives out itself. */
  readonly emailAuthority: EmailAuthority | undefined
  /** The authorization answer of the first consent alone has the name, as JSON in this parameter. */
  readonly nameInAnswer: string | undefined
}

export interface EmailAuthority {
  readonly domains: readonly string[]
  /** The authority holds only for accounts without this claim. */
  readonly unlessClaim?: string
}

export interface ApiQuirks {
  readonly header: string
  /** Stands before the token, with the blank. */
  readonly prefix: string
  /** Sent with every call. */
  readonly headers: Readonly<Record<string, string>>
  /** Hosts that the proxy may send tokens to; `{domain}` as in endpoints. */
  readonly hosts: readonly string[]
}

export interface ExtraRule {
  readonly name: string
  readonly from: 'token_answer' | 'userinfo' | 'metadata' | 'callback'
  /** Dotted path; `*` goes through a list. */
  readonly path: string
}
