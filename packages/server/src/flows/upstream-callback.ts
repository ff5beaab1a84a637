// A provider's answer: the transaction is checked in every field before any code is redeemed (linking.md §3).
import { EnvelopeError } from '../crypto/envelope.ts'
import { sha256Hex } from '../crypto/hashing.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Connection } from '../domain/connection.ts'
import type { UpstreamTransaction } from '../storage/records.ts'
import type { UpstreamAccount } from '../upstream/connector.ts'
import { UpstreamRefused } from '../upstream/errors.ts'
import type { BrowserRequest } from './browser-request.ts'
import { finishConnectLeg, refuseConnectLeg } from './connect.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'
import { finishUpstreamSignIn, refuseUpstreamSignIn } from './sign-in.ts'
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
  const open = await openTransaction(deps, request, path, answer)
  const next = waysToSignIn(open.transaction.kind, open.secrets.continueWith)
  const connector = connectorOf(deps, open.connection, next)
  try {
    await connector.checkAnswer(answer)
  } catch (error) {
    if (error instanceof UpstreamRefused && (error.code === 'access_denied' || error.code === 'provider_error')) {
      return refused(deps, request, open, error)
    }
    throw flowErrorOf(error, next)
  }
  const account = await connector
    .redeem(answer, {
      redirectUri: new URL(open.transaction.callbackPath, deps.issuer).href,
      state: answer.get('state') ?? '',
      nonce: open.transaction.nonce,
      codeVerifier: open.secrets.verifier,
    })
    .catch((error: unknown) => {
      throw flowErrorOf(error, next)
    })
  return finished(deps, request, open, account)
}

async function openTransaction(
  deps: FlowDeps,
  request: BrowserRequest,
  path: string,
  answer: URLSearchParams,
): Promise<OpenTransaction> {
  const { storage, keyring, clock } = deps
  const stateHash = sha256Hex(answer.get('state') ?? '')
  const transaction = await storage.transactions.find(stateHash)
  if (transaction === undefined) throw new FlowError('transaction_invalid')
  // Whatever comes next, this answer is the only one that the transaction will hear.
  if (!(await storage.transaction((tx) => tx.transactions.consume(stateHash))))
    throw new FlowError('transaction_invalid')
  if (transaction.expiresAt <= clock()) throw new FlowError('transaction_invalid')
  if (transaction.browserHash !== request.browser.hash) throw new FlowError('wrong_browser')
  if (transaction.callbackPath !== path) throw new FlowError('transaction_invalid')
  if (transaction.kind !== 'login' && transaction.sessionUid !== request.session?.uid) throw new FlowError('wrong_user')
  const connection = await deps.connections.find(storage, transaction.connectionId)
  if (connection === undefined) throw new FlowError('connection_unavailable')
  return { transaction, connection, secrets: openSecrets(keyring, stateHash, transaction.verifierEnvelope) }
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
  return open.transaction.kind === 'login'
    ? refuseUpstreamSignIn(deps, request, open, error)
    : refuseConnectLeg(deps, request, open)
}

function finished(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenTransaction,
  account: UpstreamAccount,
): Promise<Outcome> {
  return open.transaction.kind === 'login'
    ? finishUpstreamSignIn(deps, request, open, account)
    : finishConnectLeg(deps, request, open, account)
}
