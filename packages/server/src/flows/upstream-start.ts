// Sends a browser to an upstream provider: a transaction row first, which the answer must match in every field.
import { randomToken, sha256Base64url, sha256Hex } from '../crypto/hashing.ts'
import type { Connection } from '../domain/connection.ts'
import type { UpstreamTransaction } from '../storage/records.ts'
import { ConnectionUnavailable, UpstreamRefused, UpstreamUnavailable } from '../upstream/errors.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
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
  readonly wantsRefreshToken: boolean
  readonly extra?: Readonly<Record<string, string>>
  readonly clientRequest?: Readonly<Record<string, string>>
}

/** What travels sealed in the row: nobody who reads the table can finish the transaction. */
export interface TransactionSecrets {
  readonly verifier: string
  readonly continueWith: string
}

export const transactionContext = (stateHash: string): string => `transaction:${stateHash}`

/** @throws {FlowError} `connection_unavailable`, `provider_unavailable`, `provider_error`. */
export async function startUpstream(deps: FlowDeps, request: BrowserRequest, asked: UpstreamRequest): Promise<Outcome> {
  const { connection } = asked
  const [state, nonce, verifier] = [randomToken(), randomToken(), randomToken()]
  const callbackPath = callbackPathOf(connection)
  const connector = connectorOf(deps, connection)
  const scopes = connector.scopes.ask(asked.scopes)
  const url = await connector
    .authorizationUrl({
      redirectUri: new URL(callbackPath, deps.issuer).href,
      state,
      nonce,
      codeChallenge: sha256Base64url(verifier),
      scopes,
      wantsRefreshToken: asked.wantsRefreshToken,
      extra: asked.extra ?? {},
      clientRequest: asked.clientRequest ?? {},
    })
    .catch((error: unknown) => {
      throw flowErrorOf(error)
    })
  const stateHash = sha256Hex(state)
  const secrets: TransactionSecrets = { verifier, continueWith: asked.continueWith }
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
  return { kind: 'redirect', url: url.href, cookies: withBrowserCookie(request) }
}

/** One redirect URI for each connection (T-CONN-02); Auth0's shared one where the operator wants it. */
export function callbackPathOf(connection: Pick<Connection, 'name' | 'options'>): string {
  return connection.options.shared_callback === true
    ? '/login/callback'
    : `/login/callback/${encodeURIComponent(connection.name)}`
}

export function connectorOf(deps: FlowDeps, connection: Connection) {
  try {
    return deps.connectors.for(connection)
  } catch (cause) {
    throw flowErrorOf(cause)
  }
}

/** A provider's failure as the person sees it; anything else goes on as it is. */
export function flowErrorOf(error: unknown): unknown {
  if (error instanceof ConnectionUnavailable) return new FlowError('connection_unavailable', { cause: error })
  if (error instanceof UpstreamUnavailable) return new FlowError('provider_unavailable', { cause: error })
  if (error instanceof UpstreamRefused) return new FlowError('provider_error', { cause: error })
  return error
}
