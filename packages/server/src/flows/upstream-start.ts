// Sends a browser to an upstream provider: a transaction row first, which the answer must match in every field.
import { randomToken, sha256Base64url, sha256Hex } from '../crypto/hashing.ts'
import type { Connection } from '../domain/connection.ts'
import type { UpstreamTransaction } from '../storage/records.ts'
import { asksAnew } from '../upstream/authorization.ts'
import type { AuthorizationRequest, Connector } from '../upstream/connector.ts'
import { ConnectionUnavailable, UpstreamRefused, UpstreamUnavailable } from '../upstream/errors.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import { shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError, type FlowNext } from './flow-error.ts'
import type { Outcome } from './outcome.ts'

const TRANSACTION_SECONDS = 600

export interface UpstreamRequest {
  readonly kind: UpstreamTransaction['kind']
  readonly connection: Connection
  /** The interaction to go on with afterwards, or a connect request's auth session. */
  readonly continueWith: string
  readonly clientId: string | undefined
  /** What the client asked of the provider; empty: the connection's own. */
  readonly scopes: readonly string[]
  /** Granted already to the account that is asked for: asked again, so that what replaces it is no less. */
  readonly heldScopes?: readonly string[]
  readonly wantsRefreshToken: boolean
  readonly extra?: Readonly<Record<string, string>>
  readonly clientRequest?: Readonly<Record<string, string>>
  /** The connected account that is to come back; another one is asked about. */
  readonly meant?: string | undefined
  /** The pending arrival for which an existing account is proven. */
  readonly proves?: string
}

/** What travels sealed in the row: nobody who reads the table can finish the transaction. */
export interface TransactionSecrets {
  readonly verifier: string
  readonly continueWith: string
  readonly proves?: string
  readonly meant?: string
  /** The person was to show anew who they are. */
  readonly asksAnew?: true
}

export const transactionContext = (stateHash: string): string => `transaction:${stateHash}`

/** @throws {FlowError} `connection_unavailable`, `provider_unavailable`, `provider_error`. */
export async function startUpstream(deps: FlowDeps, request: BrowserRequest, asked: UpstreamRequest): Promise<Outcome> {
  const { connection } = asked
  const [state, nonce, verifier] = [randomToken(), randomToken(), randomToken()]
  const callbackPath = callbackPathOf(connection)
  const next = waysToSignIn(asked.kind, asked.continueWith)
  const connector = connectorOf(deps, connection, next)
  const scopes = [...new Set([...connector.scopes.ask(asked.scopes), ...(asked.heldScopes ?? [])])]
  const leave = await leaveFor(connection, connector, {
    redirectUri: new URL(callbackPath, deps.issuer).href,
    state,
    nonce,
    codeChallenge: sha256Base64url(verifier),
    scopes,
    wantsRefreshToken: asked.wantsRefreshToken,
    extra: asked.extra ?? {},
    clientRequest: asked.clientRequest ?? {},
  }).catch((error: unknown) => {
    throw flowErrorOf(error, next)
  })
  const stateHash = sha256Hex(state)
  const secrets: TransactionSecrets = {
    verifier,
    continueWith: asked.continueWith,
    ...(asked.proves === undefined ? {} : { proves: asked.proves }),
    ...(asked.meant === undefined ? {} : { meant: asked.meant }),
    ...(asksAnew(asked.extra ?? {}) ? { asksAnew: true } : {}),
  }
  const now = deps.clock()
  await deps.storage.transaction((tx) =>
    tx.transactions.insert({
      stateHash,
      kind: asked.kind,
      connectionId: connection.id,
      callbackPath,
      browserHash: request.browser.hash,
      interactionHash: sha256Hex(asked.continueWith),
      sessionUid: request.session?.uid,
      userId: request.session?.userId,
      clientId: asked.clientId,
      nonce,
      verifierEnvelope: deps.keyring.seal(transactionContext(stateHash), Buffer.from(JSON.stringify(secrets))),
      scopes,
      createdAt: now,
      expiresAt: now + TRANSACTION_SECONDS,
    }),
  )
  return { ...leave, cookies: withBrowserCookie(request) }
}

/** How the browser goes there: by a redirect, or by a form where the provider wants to be posted to. */
async function leaveFor(connection: Connection, connector: Connector, request: AuthorizationRequest): Promise<Outcome> {
  if (connector.authorizationForm === undefined)
    return { kind: 'redirect', url: (await connector.authorizationUrl(request)).href }
  const form = await connector.authorizationForm(request)
  return { kind: 'page', page: { name: 'go-upstream', connection: shownConnection(connection), ...form } }
}

/** One redirect URI for each connection (T-CONN-02); Auth0's shared one where the operator wants it. */
export function callbackPathOf(connection: Pick<Connection, 'name' | 'options'>): string {
  return connection.options.shared_callback === true
    ? '/login/callback'
    : `/login/callback/${encodeURIComponent(connection.name)}`
}

/** Who could not use one way to sign in may choose another, or try again. */
export function waysToSignIn(kind: UpstreamTransaction['kind'], interaction: string): FlowNext | undefined {
  if (kind === 'login') return { kind: 'sign-in', url: `/u/login?state=${interaction}` }
  return kind === 'account_link' || kind === 'step_up' ? { kind: 'account', url: '/account/connections' } : undefined
}

export function connectorOf(deps: FlowDeps, connection: Connection, next: FlowNext | undefined) {
  try {
    return deps.connectors.for(connection)
  } catch (cause) {
    throw flowErrorOf(cause, next)
  }
}

/** A provider's failure as the person sees it; anything else goes on as it is. */
export function flowErrorOf(cause: unknown, next: FlowNext | undefined): unknown {
  const more = { cause, ...(next && { next }) }
  if (cause instanceof ConnectionUnavailable) return new FlowError('connection_unavailable', more)
  if (cause instanceof UpstreamUnavailable) return new FlowError('provider_unavailable', more)
  if (cause instanceof UpstreamRefused) return new FlowError('provider_error', more)
  return cause
}
