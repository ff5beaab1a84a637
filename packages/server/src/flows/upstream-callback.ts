// A provider's answer: the transaction is checked in every field before any code is redeemed (linking.md §3).

import { EnvelopeError } from '../crypto/envelope.ts'
import { sha256Hex } from '../crypto/hashing.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Connection } from '../domain/connection.ts'
import type { UpstreamTransaction } from '../storage/records.ts'
import type { UpstreamAccount } from '../upstream/connector.ts'
import { UpstreamRefused } from '../upstream/errors.ts'
import { finishAccountLink, refuseAccountLink } from './account-link.ts'
import { finishUpstreamSignIn, refuseUpstreamSignIn } from './arrive.ts'
import type { BrowserRequest } from './browser-request.ts'
import { finishClientLink, refuseClientLink } from './client-link.ts'
import { finishConnectLeg, refuseConnectLeg } from './connect.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'
import { finishStepUp, refuseStepUp } from './step-up.ts'
import {
  connectorOf,
  flowErrorOf,
  type TransactionSecrets,
  transactionContext,
  waysToSignIn,
} from './upstream-start.ts'

/** A transaction whose answer may be used: checked, and taken away. */
export interface OpenTransaction {
  readonly transaction: UpstreamTransaction
  readonly connection: Connection
  readonly secrets: TransactionSecrets
}

/**
 * Takes the provider's answer. Wrong browser, path, session or issuer void the transaction and redeem nothing.
 *
 * @throws {FlowError} `transaction_invalid`, `wrong_browser`, `wrong_user`, `provider_error`, `provider_unavailable`.
 */
export async function takeCallback(
  deps: FlowDeps,
  request: BrowserRequest,
  { path, answer }: { path: string; answer: URLSearchParams },
): Promise<Outcome> {
  const transaction = await claimTransaction(deps, answer)
  const taken = await takeAnswer(deps, request, transaction, { path, answer }).catch(async (error: unknown) => {
    if (error instanceof FlowError) await recordRefusal(deps, transaction, error)
    throw error
  })
  return taken.kind === 'refused'
    ? refused(deps, request, taken.open, taken.error)
    : finished(deps, request, taken.open, taken.account)
}

/** Whatever comes next, this answer is the only one that the transaction will hear. */
async function claimTransaction({ storage }: FlowDeps, answer: URLSearchParams): Promise<UpstreamTransaction> {
  const stateHash = sha256Hex(answer.get('state') ?? '')
  const transaction = await storage.transactions.find(stateHash)
  if (transaction === undefined || !(await storage.transaction((tx) => tx.transactions.consume(stateHash))))
    throw new FlowError('transaction_invalid')
  return transaction
}

type Taken =
  | { readonly kind: 'redeemed'; readonly open: OpenTransaction; readonly account: UpstreamAccount }
  /** By the provider, or by the person there. */
  | { readonly kind: 'refused'; readonly open: OpenTransaction; readonly error: UpstreamRefused }

async function takeAnswer(
  deps: FlowDeps,
  request: BrowserRequest,
  transaction: UpstreamTransaction,
  { path, answer }: { path: string; answer: URLSearchParams },
): Promise<Taken> {
  const open = await openTransaction(deps, request, transaction, path)
  const next = waysToSignIn(transaction.kind, open.secrets.continueWith)
  const connector = connectorOf(deps, open.connection, next)
  try {
    await connector.checkAnswer(answer)
    const account = await connector.redeem(answer, {
      redirectUri: new URL(transaction.callbackPath, deps.issuer).href,
      state: answer.get('state') ?? '',
      nonce: transaction.nonce,
      codeVerifier: open.secrets.verifier,
      ...(open.secrets.asksAnew ? { authenticatedAfter: transaction.createdAt } : {}),
    })
    await takeOnce(deps, account)
    return { kind: 'redeemed', open, account }
  } catch (error) {
    if (error instanceof UpstreamRefused && (error.code === 'access_denied' || error.code === 'provider_error'))
      return { kind: 'refused', open, error }
    throw flowErrorOf(error, next)
  }
}

/** An assertion serves once on all nodes, although its transaction did already (T-SAML-04). */
async function takeOnce({ storage }: FlowDeps, { once }: UpstreamAccount): Promise<void> {
  if (once === undefined) return
  const mark = { idHash: sha256Hex(once.key), expiresAt: once.expiresAt }
  const isFirst = await storage.transaction((tx) => tx.replays.insertOnce(mark))
  if (!isFirst) throw new UpstreamRefused('answer_replayed')
}

/** What can be told without a session: time, browser, path. @throws {FlowError} `transaction_invalid`, `wrong_browser`. */
export function requireLeg(
  { clock }: Pick<FlowDeps, 'clock'>,
  request: BrowserRequest,
  { expiresAt, browserHash, callbackPath }: UpstreamTransaction,
  path: string,
): void {
  if (expiresAt <= clock()) throw new FlowError('transaction_invalid')
  if (browserHash !== request.browser.hash) throw new FlowError('wrong_browser')
  if (callbackPath !== path) throw new FlowError('transaction_invalid')
}

async function openTransaction(
  deps: FlowDeps,
  request: BrowserRequest,
  transaction: UpstreamTransaction,
  path: string,
): Promise<OpenTransaction> {
  const { storage, keyring, connections } = deps
  const { stateHash, kind, sessionUid, connectionId, verifierEnvelope } = transaction
  requireLeg(deps, request, transaction, path)
  if (kind !== 'login' && sessionUid !== request.session?.uid) throw new FlowError('wrong_user')
  const connection = await connections.find(storage, connectionId)
  if (connection === undefined) throw new FlowError('connection_unavailable')
  return { transaction, connection, secrets: openSecrets(keyring, stateHash, verifierEnvelope) }
}

/** What was refused, and which check did it: ids and codes, nothing of what the provider said. */
export function recordRefusal(
  { storage, clock }: FlowDeps,
  transaction: UpstreamTransaction,
  error: FlowError,
): Promise<void> {
  const { kind, connectionId, userId, clientId } = transaction
  const { cause } = error
  return storage.transaction((tx) =>
    tx.events.append({
      type: 'upstream.refused',
      at: clock(),
      outcome: 'refused',
      connectionId,
      ...(userId === undefined ? {} : { userId }),
      ...(clientId === undefined ? {} : { clientId }),
      data: { purpose: kind, code: error.code, ...(cause instanceof UpstreamRefused ? { reason: cause.code } : {}) },
    }),
  )
}

/** @throws {FlowError} `transaction_invalid`: the row was edited, or its key has gone. */
function openSecrets(keyring: Keyring, stateHash: string, envelope: Uint8Array): TransactionSecrets {
  try {
    // Sealed by us, from this very type.
    return JSON.parse(keyring.open(transactionContext(stateHash), envelope).toString('utf8')) as TransactionSecrets
  } catch (cause) {
    if (!(cause instanceof EnvelopeError)) throw cause
    throw new FlowError('transaction_invalid', { cause })
  }
}

function refused(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenTransaction,
  error: UpstreamRefused,
): Promise<Outcome> {
  switch (open.transaction.kind) {
    case 'login':
      return refuseUpstreamSignIn(deps, request, open, error)
    case 'link':
      return refuseClientLink(deps, request, open)
    case 'account_link':
      return refuseAccountLink(deps, request, open)
    case 'step_up':
      return refuseStepUp(deps, request, open)
    case 'connect':
      return refuseConnectLeg(deps, request, open)
  }
}

function finished(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenTransaction,
  account: UpstreamAccount,
): Promise<Outcome> {
  switch (open.transaction.kind) {
    case 'login':
      return finishUpstreamSignIn(deps, request, open, account)
    case 'link':
      return finishClientLink(deps, request, open, account)
    case 'account_link':
      return finishAccountLink(deps, request, open, account)
    case 'step_up':
      return finishStepUp(deps, request, open, account)
    case 'connect':
      return finishConnectLeg(deps, request, open, account)
  }
}
