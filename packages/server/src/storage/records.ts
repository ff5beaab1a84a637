// Rows as the rest of the server sees them, where no domain noun stands for them.
import type { UserPair } from '../domain/duplicates.ts'
import type { NewEvent } from '../domain/event.ts'
import type { StoredAccount } from '../domain/tokenset.ts'
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'

/** Two users whom an operator keeps apart. */
export interface KeptApart extends UserPair {
  readonly keptAt: EpochSeconds
  /** A user id, or `console link`. */
  readonly keptBy: string
}

/** A client, resource server or client grant is kept as the wire document that was validated, beside its keys. */
export interface ClientRecord {
  readonly clientId: string
  /** SHA-256 (hex) of the secret; high-entropy secrets need no slow hash. Undefined for public and key-bound clients. */
  readonly secretHash: string | undefined
  readonly document: JsonObject
  readonly createdAt: EpochSeconds
  readonly updatedAt: EpochSeconds
}

export interface ConnectionRecord {
  readonly id: string
  readonly name: string
  readonly strategy: string
  /** The wire document without `options.client_secret`. */
  readonly document: JsonObject
  /** The upstream client secret, sealed by the keyring (context `connection:<id>`). */
  readonly secretEnvelope: Uint8Array | undefined
  readonly createdAt: EpochSeconds
  readonly updatedAt: EpochSeconds
}

export interface ResourceServerRecord {
  readonly id: string
  readonly identifier: string
  readonly document: JsonObject
}

export type SubjectType = 'client' | 'user'

export interface ClientGrantRecord {
  readonly id: string
  readonly clientId: string
  readonly audience: string
  readonly subjectType: SubjectType
  readonly scopes: readonly string[]
  readonly document: JsonObject
}

/** A kind of token of a provider's that is exchanged for ours (docs/notes/token-exchange.md). */
export interface ExchangeProfile {
  /** `tep_…` */
  readonly id: string
  readonly name: string
  /** `subject_token_type` of the requests that it is for. */
  readonly subjectTokenType: string
  /** The provider whose keys and identities count. */
  readonly connectionId: string
  /** Whom such a token may be made for, besides the connection's own client id at the provider. */
  readonly audiences: readonly string[]
  readonly createdAt: EpochSeconds
  readonly updatedAt: EpochSeconds
}

/**
 * Everything that the protocol engine keeps: sessions, interactions, codes, tokens, grants, pushed requests. And ours:
 * links that open the console once, and the sessions that they opened.
 */
export type ArtifactKind =
  | 'Session'
  | 'Interaction'
  | 'AuthorizationCode'
  | 'AccessToken'
  | 'RefreshToken'
  | 'ClientCredentials'
  | 'Grant'
  | 'PushedAuthorizationRequest'
  /** A provider's answer that came by POST, on its way to a GET of ours; `idHash` is its transaction's. */
  | 'UpstreamAnswer'
  | 'DeviceCode'
  | 'BackchannelAuthenticationRequest'
  /** A client's wish to use an account, for which its policy wants a yes; `uid` says what for. */
  | 'UseApproval'
  | 'ConsoleLink'
  /** A job of the Management API: what it was asked, and what came of it. */
  | 'Job'
  | 'ConsoleSession'
  /** A public key that a person's device keeps with us (auth0-wire.md §6.4); it opens nothing here. */
  | 'DeviceKey'

/** A call through the proxy that goes out: its event, as it stands when nobody comes back to say what came of it. */
export interface OpenCall {
  readonly id: string
  readonly beganAt: EpochSeconds
  readonly event: NewEvent
}

/** Says that something which serves once has served; of several callers the one whose mark is stored first goes on. */
export interface ReplayMark {
  /** SHA-256 (hex) of what names it. */
  readonly idHash: string
  /** Past this it would be refused for its age. */
  readonly expiresAt: EpochSeconds
}

export interface Artifact {
  readonly kind: ArtifactKind
  /** SHA-256 (hex) of the id that the holder presents; a grant's id is kept as it is. */
  readonly idHash: string
  readonly uid: string | undefined
  readonly grantId: string | undefined
  readonly userId: string | undefined
  readonly clientId: string | undefined
  /** Engine payload without the id itself. */
  readonly payload: JsonObject
  readonly createdAt: EpochSeconds
  readonly expiresAt: EpochSeconds
  readonly consumedAt: EpochSeconds | undefined
  /** A rotated refresh token's successor, sealed under a key derived from the predecessor, for the grace only. */
  readonly successorEnvelope: Uint8Array | undefined
  /** `connectionId|subject` of the identity that authenticated (sessions, grants). */
  readonly identityKey: string | undefined
}

/** What one browser is doing at an upstream provider (linking.md §3). */
export interface UpstreamTransaction {
  /** SHA-256 (hex) of the opaque `state`. */
  readonly stateHash: string
  readonly kind: 'login' | 'link' | 'connect' | 'account_link' | 'step_up'
  readonly connectionId: string
  /** Path of the callback that the provider was told, e.g. `/login/callback/acme`. */
  readonly callbackPath: string
  /** SHA-256 (hex) of the browser cookie. */
  readonly browserHash: string
  /** Engine interaction (hash of its uid) that the answer belongs to; for `connect` the request's auth session hash. */
  readonly interactionHash: string
  /** Session (uid) and user that started it; undefined before anybody signed in. */
  readonly sessionUid: string | undefined
  readonly userId: string | undefined
  readonly clientId: string | undefined
  readonly nonce: string
  /** PKCE verifier, sealed by the keyring (context `transaction:<stateHash>`). */
  readonly verifierEnvelope: Uint8Array
  readonly scopes: readonly string[]
  readonly createdAt: EpochSeconds
  readonly expiresAt: EpochSeconds
}

export type ConnectStatus = 'created' | 'opened' | 'answered' | 'confirmed' | 'completed' | 'void'

/** A connected-accounts flow from `connect` to `complete` (auth0-wire.md §3.5). Every id is kept as SHA-256 hex. */
export interface ConnectRequest {
  readonly authSessionHash: string
  readonly ticketHash: string
  readonly connectCodeHash: string | undefined
  readonly userId: string
  readonly clientId: string
  readonly connectionId: string
  readonly redirectUri: string
  readonly state: string | undefined
  readonly codeChallenge: string | undefined
  readonly scopes: readonly string[]
  readonly authorizationParams: JsonObject
  readonly dpopThumbprint: string | undefined
  readonly status: ConnectStatus
  /** Browser (cookie hash) and session that opened the ticket. */
  readonly browserHash: string | undefined
  readonly sessionUid: string | undefined
  /** Upstream subject, profile and tokenset that wait for `complete`, sealed by the keyring (context `connect:<authSessionHash>`). */
  readonly pendingEnvelope: Uint8Array | undefined
  readonly createdAt: EpochSeconds
  readonly expiresAt: EpochSeconds
}

/** A mailed proof: verification code, password reset link, or "this was not me" about a new way to sign in. */
export interface MailProof {
  /** SHA-256 (hex) of the secret in a link, or of `scope:code` for short codes. */
  readonly idHash: string
  readonly kind: 'verify' | 'reset' | 'not_me'
  readonly userId: string
  /** Canonical address that the mail went to. */
  readonly address: string
  /** What it is tied to: the interaction's hash, the identity whose adding it denies, or empty. */
  readonly boundTo: string
  /** Where the browser goes once it has served, and whether it is told the address there; undefined: a page of ours. */
  readonly goesTo?: { readonly url: string; readonly withAddress: boolean } | undefined
  readonly attempts: number
  readonly createdAt: EpochSeconds
  readonly expiresAt: EpochSeconds
}

/** A session that is there no more, with what its clients knew it by. */
export interface EndedSession {
  readonly id: number
  readonly uid: string
  readonly userId: string
  /** The protocol engine's, with `authorizations` by client id. */
  readonly payload: JsonObject
  readonly attempts: number
}

/** What one address of one client is to be told: this session ended. */
export interface LogoutNotice {
  readonly id: string
  readonly clientId: string
  readonly userId: string
  readonly sid: string
  readonly url: string
  readonly attempts: number
  readonly dueAt: EpochSeconds
}

/** Somebody who asked for an account over the API, and has to prove the mailbox first. */
export interface SignUp {
  /** SHA-256 (hex) of the secret in the mailed link. */
  readonly idHash: string
  readonly connectionId: string
  /** Of the identity that comes of it. */
  readonly subject: string
  /** Canonical. */
  readonly address: string
  /** Wire names. */
  readonly profile: JsonObject
  readonly userMetadata: JsonObject
  readonly createdAt: EpochSeconds
  readonly expiresAt: EpochSeconds
}

export interface MailJob {
  readonly id: string
  /** Recipient, template and variables, sealed by the keyring (context `mail:<id>`): they hold addresses and codes. */
  readonly envelope: Uint8Array
  readonly attempts: number
  readonly dueAt: EpochSeconds
}

/** An upstream token that must be revoked at its provider. */
export interface RevocationJob {
  readonly id: string
  readonly userId: string
  readonly connectionId: string
  readonly accountId: string
  readonly subject: string
  readonly hint: 'access_token' | 'refresh_token'
  /** The token, sealed by the keyring (context `revocation:<id>`). */
  readonly envelope: Uint8Array
  readonly attempts: number
  readonly dueAt: EpochSeconds
}

export interface SigningKeyRecord {
  readonly kid: string
  readonly state: 'next' | 'current' | 'previous' | 'revoked'
  readonly publicJwk: JsonObject
  /** Private JWK, sealed by the keyring (context `signing-key:<kid>`). */
  readonly envelope: Uint8Array
  readonly createdAt: EpochSeconds
  readonly changedAt: EpochSeconds
}

/** A user's data key, wrapped by a key-encryption key. */
export interface UserKeyRecord {
  readonly userId: string
  readonly keyId: string
  readonly wrapped: Uint8Array
}

/** That two users became one, or that an identity was added to a user: who did it, how it was proven, what it changed. */
export interface LinkRecord {
  /** `lnk_…` */
  readonly id: string
  readonly primaryUserId: string
  /** The user that was retired; undefined when an identity that nobody had was added. */
  readonly secondaryUserId: string | undefined
  /** The identity that was added, or the first one of the secondary. */
  readonly identity: { readonly connectionId: string; readonly subject: string } | undefined
  /** The client that asked; with neither client nor actor it was the tenant's policy. */
  readonly clientId: string | undefined
  /** The user who asked. */
  readonly actor: string | undefined
  /** Which rule allowed it: `management`, `link_with`, `S7`, … */
  readonly rule: string
  /** How both sides were proven: ids, grades, scopes. */
  readonly proof: JsonObject
  /** What changed, without addresses and without values of metadata. */
  readonly plan: JsonObject
  readonly planHash: string
  readonly createdAt: EpochSeconds
  /** Until then it can be undone. */
  readonly undoUntil: EpochSeconds
  readonly undoneAt: EpochSeconds | undefined
  /** Client or user that undid it. */
  readonly undoneBy: string | undefined
}

/** A row that holds an envelope of the keyring's; `kind:id` is its context. */
export interface SealedRow {
  readonly kind:
    | 'connection'
    | 'former-connection'
    | 'transaction'
    | 'connect'
    | 'mail'
    | 'revocation'
    | 'signing-key'
    | 'link'
    | 'webhook'
    | 'second-factor'
  readonly id: string
  readonly envelope: Uint8Array
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly total: number
}

/** Everything that the exchange's fast path needs of one subject (vault.md §2), read in one statement. */
export interface RefreshSubject {
  readonly clientId: string
  readonly userId: string
  readonly grantId: string
  readonly scopes: readonly string[]
  readonly expiresAt: EpochSeconds
  readonly consumedAt: EpochSeconds | undefined
  readonly userBlocked: boolean
}

export interface ExchangeQuery {
  /** Undefined: the client that the subject token was issued to. */
  readonly clientId: string | undefined
  readonly connection: string
  readonly subject: ExchangeSubjectKey
}

export type ExchangeSubjectKey =
  | { readonly kind: 'refresh_token'; readonly tokenHash: string }
  /** What a verified access token says of itself. */
  | { readonly kind: 'access_token'; readonly clientId: string; readonly userId: string; readonly grantId: string }
  /** A user named without a token of ours, by whom else than the client there is to be judged. */
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'none' }

/** Rows that do not exist are undefined. A record is the same object for as long as its row stays the same. */
export interface ExchangeFacts {
  readonly client: ClientRecord | undefined
  readonly connection: ConnectionRecord | undefined
  /** The connection is enabled for the client. */
  readonly enabled: boolean
  /** The subject's user has stopped the client, or the one that the subject token was issued to. */
  readonly stopped: boolean
  readonly subject: ExchangeSubject | undefined
  /** The subject's accounts at the connection: agents' first, then sign-in ones, newest connection first. */
  readonly accounts: readonly StoredAccount[]
}

/**
 * A subject token with what its life hangs on: token, grant, user and the client that it was issued to are there. For a
 * user named without a token: the client that names them, and no end.
 */
export interface ExchangeSubject {
  readonly clientId: string
  readonly userId: string
  /** Of the token and its grant; of the grant alone for an access token. */
  readonly expiresAt: EpochSeconds
  readonly consumedAt: EpochSeconds | undefined
  readonly userBlocked: boolean
  /** Thumbprint of the key that a refresh token is bound to (RFC 9449 §5). */
  readonly jkt: string | undefined
}
