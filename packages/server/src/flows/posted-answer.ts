// A provider's answer that arrives by POST: from another site, so that the session's cookie stays behind. It is checked
// against the cookie that does come, kept once under a random id, and led to a GET of ours, where the session is there to
// be compared (contract.md "Browser certainties"). Nothing is redeemed here.
import { EnvelopeError } from '../crypto/envelope.ts'
import { randomToken, sha256Hex } from '../crypto/hashing.ts'
import type { Artifact, UpstreamTransaction } from '../storage/records.ts'
import { SAML_RESPONSE } from '../upstream/saml.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'
import { beginUnasked } from './saml-unasked.ts'
import { recordRefusal, requireLeg, takeCallback } from './upstream-callback.ts'

const KIND = 'UpstreamAnswer'
/** The browser is on its way. */
const ANSWER_SECONDS = 120
const MAX_ANSWER_LENGTH = 512 * 1024

/** @throws {FlowError} `transaction_invalid`; `wrong_browser`, which voids the transaction. */
export async function keepPostedAnswer(
  deps: FlowDeps,
  request: BrowserRequest,
  { path, fields }: { path: string; fields: URLSearchParams },
): Promise<Outcome> {
  const state = stateOf(fields)
  const transaction = state === undefined ? undefined : await deps.storage.transactions.find(sha256Hex(state))
  if (state === undefined || transaction === undefined) {
    const begun = fields.has(SAML_RESPONSE) ? await beginUnasked(deps, path) : undefined
    if (begun === undefined) throw new FlowError('transaction_invalid')
    return begun
  }
  try {
    requireLeg(deps, request, transaction, path)
  } catch (error) {
    await voidTransaction(deps, transaction, error)
    throw error
  }
  const answer = fields.toString()
  if (answer.length > MAX_ANSWER_LENGTH) throw new FlowError('invalid_request')
  const id = randomToken()
  const kept = keep(deps, transaction, id, { path, answer, state })
  // The last one counts until one is taken: whoever presses the provider's button twice is let in.
  await deps.storage.transaction((tx) => tx.artifacts.put(kept))
  return { kind: 'redirect', url: `/login/answer?id=${id}`, cookies: withBrowserCookie(request) }
}

/** @throws {FlowError} as `takeCallback` does. */
export async function takePostedAnswer(
  deps: FlowDeps,
  request: BrowserRequest,
  id: string | undefined,
): Promise<Outcome> {
  const kept = await deps.storage.artifacts.findByUid(KIND, sha256Hex(id ?? ''))
  if (kept === undefined || kept.expiresAt <= deps.clock()) throw new FlowError('transaction_invalid')
  const { path, answer, state } = open(deps, kept)
  const isFirst = await deps.storage.transaction(async (tx) => {
    if (!(await tx.artifacts.consume(KIND, kept.idHash, deps.clock()))) return false
    await tx.artifacts.delete(KIND, kept.idHash)
    return true
  })
  if (!isFirst) throw new FlowError('transaction_invalid')
  const parameters = new URLSearchParams(answer)
  parameters.set('state', state)
  return takeCallback(deps, request, { path, answer: parameters })
}

/** SAML has a name of its own for it (saml-bindings §3.5.3). */
function stateOf(fields: URLSearchParams): string | undefined {
  const [state, ...more] = fields.getAll(fields.has(SAML_RESPONSE) ? 'RelayState' : 'state')
  if (more.length > 0) throw new FlowError('transaction_invalid')
  return state
}

async function voidTransaction(deps: FlowDeps, transaction: UpstreamTransaction, error: unknown): Promise<void> {
  await deps.storage.transaction((tx) => tx.transactions.consume(transaction.stateHash))
  if (error instanceof FlowError) await recordRefusal(deps, transaction, error)
}

interface PostedAnswer {
  readonly path: string
  readonly answer: string
  readonly state: string
}

const contextOf = (stateHash: string): string => `answer:${stateHash}`

/** Sealed: it says who somebody is, and holds what could be redeemed. */
function keep(
  { keyring, clock }: FlowDeps,
  { stateHash, connectionId }: UpstreamTransaction,
  id: string,
  posted: PostedAnswer,
): Artifact {
  const sealed = keyring.seal(contextOf(stateHash), Buffer.from(JSON.stringify(posted)))
  return {
    kind: KIND,
    idHash: stateHash,
    uid: sha256Hex(id),
    grantId: undefined,
    userId: undefined,
    clientId: undefined,
    payload: { connection: connectionId, sealed: Buffer.from(sealed).toString('base64') },
    createdAt: clock(),
    expiresAt: clock() + ANSWER_SECONDS,
    consumedAt: undefined,
    successorEnvelope: undefined,
    identityKey: undefined,
  }
}

function open({ keyring }: FlowDeps, { idHash, payload }: Artifact): PostedAnswer {
  try {
    const sealed = Buffer.from(String(payload.sealed), 'base64')
    // Sealed by `keep`, from this very type.
    return JSON.parse(keyring.open(contextOf(idHash), sealed).toString('utf8')) as PostedAnswer
  } catch (cause) {
    if (!(cause instanceof EnvelopeError)) throw cause
    throw new FlowError('transaction_invalid', { cause })
  }
}
