// The vault exchange: a token of ours for an access token of the user's upstream account (vault.md §2). The product's
// hot path: one read, one shared write, no session and no engine.
import { findMergedInto } from '../accounts/merged-into.ts'
import type { Client } from '../domain/client.ts'
import { parseClient } from '../domain/client.ts'
import type { Connection } from '../domain/connection.ts'
import type { Settings } from '../domain/settings.ts'
import type { StoredAccount } from '../domain/tokenset.ts'
import type { Clock } from '../lib/time.ts'
import { TOKEN_EXCHANGE_GRANT, VAULT_GRANT } from '../protocol/grant-types.ts'
import type { ClientRecord, ConnectionRecord, ExchangeFacts, ExchangeQuery, ReplayMark } from '../storage/records.ts'
import type { Storage } from '../storage/storage.ts'
import type { Connector } from '../upstream/connector.ts'
import type { Connectors } from '../upstream/connectors.ts'
import { ConnectionUnavailable } from '../upstream/errors.ts'
import type { ConnectionReader } from '../vault/connections.ts'
import type { FreshToken } from '../vault/fresh-token.ts'
import type { Vault } from '../vault/vault.ts'
import type { AccessTokens } from './access-tokens.ts'
import {
  type AssertionVerifier,
  createAssertionVerifier,
  createSignatureCheck,
  type SignatureCheck,
} from './client-assertion.ts'
import { authenticateClient, readCredentials } from './client-auth.ts'
import {
  createExchangeJournal,
  type ExchangeJournal,
  type JournalEntry,
  USE_RESOLUTION_SECONDS,
} from './exchange-journal.ts'
import { createExchangeLimits, type ExchangeLimits } from './exchange-limits.ts'
import { type Decision, decideAccount, decideConnection, decideScopes, type Wanted } from './exchange-policy.ts'
import { exchangeEvent, type Trail } from './exchange-record.ts'
import {
  ClientAuthFailed,
  type ExchangeAnswer,
  type ExchangeGrant,
  ExchangeRefusal,
  NO_STORE,
  refusalAnswer,
} from './exchange-refusal.ts'
import {
  connectionNameOf,
  type ExchangeBody,
  type ExchangeRequest,
  type Form,
  grantOf,
  parseExchange,
  readForm,
} from './exchange-request.ts'
import { requireWorkerMay, requireWorkerWord } from './exchange-worker.ts'
import { type OpenedSubject, openSubject, requireLiveSubject } from './subject-token.ts'

export interface Exchange {
  /**
   * Serves one token request of the vault's grant or of RFC 8693. Everything that a client does wrong is an answer.
   *
   * @throws what is nobody's fault outside: the database does not answer.
   */
  handle(request: TokenRequest): Promise<ExchangeAnswer>
}

export interface TokenRequest {
  /** Form or flat JSON; what came more than once is an array. */
  readonly body: ExchangeBody
  readonly authorization: string | undefined
  readonly ip?: string
  readonly requestId: string
}

export interface ExchangeDeps {
  readonly storage: Storage
  readonly clock: Clock
  readonly issuer: string
  readonly vault: Pick<Vault, 'freshToken'>
  readonly connections: Pick<ConnectionReader, 'open'>
  readonly connectors: Connectors
  readonly accessTokens: Pick<AccessTokens, 'open'>
  readonly settings: () => Pick<Settings, 'rateLimitsEnabled'> & { readonly vault: Pick<Settings['vault'], 'sharing'> }
}

interface Parts extends ExchangeDeps {
  readonly journal: ExchangeJournal
  readonly limits: ExchangeLimits
  readonly verifyAssertion: AssertionVerifier
  readonly isSigned: SignatureCheck
  readonly clientOf: (record: ClientRecord) => Client
  readonly connectionOf: (record: ConnectionRecord) => Connection
}

export function createExchange(deps: ExchangeDeps): Exchange {
  const { storage, clock, issuer, settings } = deps
  const parts: Parts = {
    ...deps,
    journal: createExchangeJournal(storage),
    limits: createExchangeLimits({ enabled: () => settings().rateLimitsEnabled }),
    verifyAssertion: createAssertionVerifier({ issuer, clock }),
    isSigned: createSignatureCheck(),
    clientOf: once(parseClient),
    connectionOf: once(deps.connections.open),
  }
  return {
    async handle(request) {
      const form = readForm(request.body)
      try {
        return await exchange(parts, form, request)
      } catch (error) {
        const answer = refusalAnswer(error, grantOf(form))
        if (answer === undefined) throw error
        return answer
      }
    },
  }
}

/** Reads a record once: the storage hands out the same one while its row stays the same. */
function once<R extends object, T>(read: (record: R) => T): (record: R) => T {
  const known = new WeakMap<R, T>()
  return (record) => {
    const found = known.get(record) ?? read(record)
    known.set(record, found)
    return found
  }
}

async function exchange(
  parts: Parts,
  form: Form,
  { authorization, requestId, ip }: TokenRequest,
): Promise<ExchangeAnswer> {
  const credentials = readCredentials(form, authorization)
  const subject = await openSubject(form, parts.accessTokens)
  const { clientId } = credentials
  const query = { clientId, connection: connectionNameOf(form), subject: subject.key }
  const readAtMs = performance.now()
  const { query: found, facts } = await findFacts(parts, query)
  const record = facts.client && parts.clientOf(facts.client)
  const { client, mark } = authenticateClient(record, credentials, parts.verifyAssertion)
  const trail: Trail = { grant: grantOf(form), requestId, clientId: client.clientId }
  const marks = mark === undefined ? [] : [mark]
  const run = { form, client, marks, subject, query: found, facts, readAtMs, trail, ip }
  try {
    return await serve(parts, run)
  } catch (error) {
    if (!(error instanceof ExchangeRefusal)) throw error
    const event = isRepeatedFlood(error) ? undefined : exchangeEvent(trail, parts.clock(), error)
    // A word that had served before was found out by writing: the marks stand already.
    const left = isReplay(error) ? [] : marks
    if (event !== undefined || left.length > 0) await keep(parts, { event, marks: left })
    throw error
  }
}

/** What decides, and the question that it answers: a worker's user may have been merged away, and is then the primary. */
async function findFacts({ storage }: Parts, query: ExchangeQuery) {
  const facts = await storage.exchanges.find(query)
  if (query.subject.kind !== 'user' || facts.subject !== undefined || facts.client === undefined)
    return { query, facts }
  const userId = await findMergedInto(storage, query.subject.userId)
  if (userId === undefined) return { query, facts }
  const followed: ExchangeQuery = { ...query, subject: { kind: 'user', userId } }
  return { query: followed, facts: await storage.exchanges.find(followed) }
}

/**
 * Nothing is answered before this is on the disk.
 *
 * @param word mark of what a worker said.
 * @throws {ClientAuthFailed} the assertion had served before.
 * @throws {ExchangeRefusal} `subject_token_invalid`: the worker's word had.
 */
async function keep({ journal }: Parts, entry: JournalEntry, word?: ReplayMark): Promise<void> {
  const repeated = await journal.record(entry)
  if (repeated === undefined) return
  if (repeated !== word) throw new ClientAuthFailed()
  const description = 'Unknown or invalid subject token.'
  throw new ExchangeRefusal('subject_token_invalid', { reason: 'replayed', description })
}

const isReplay = ({ details }: ExchangeRefusal) => details.reason === 'replayed'

/** Everything that is known of a request once its client is. */
interface Run {
  readonly form: Form
  readonly client: Client
  /** Of the client's assertion, then of the worker's word. */
  readonly marks: ReplayMark[]
  readonly subject: OpenedSubject
  readonly query: ExchangeQuery
  readonly facts: ExchangeFacts
  readonly readAtMs: number
  readonly trail: Trail
  readonly ip: string | undefined
}

async function serve(parts: Parts, run: Run): Promise<ExchangeAnswer> {
  const { client, trail } = run
  requireMayExchange(client, trail.grant)
  const request = parseExchange(run.form)
  Object.assign(trail, { scopes: request.scopes, purpose: request.purpose, subjectKind: request.subjectKind })
  const word = request.subjectKind === 'jwt' ? takeWord(parts, run) : undefined
  const bound = boundOf(run, request)
  const { account, connector, connection } = await choose(parts, run, bound, run.facts)
  trail.accountId = account.id
  const token = await parts.vault.freshToken(account, request.minTtlSeconds)
  if (performance.now() - run.readAtMs > STALE_AFTER_MS) await requireStillSo(parts, run, request, account)
  const fresh = requireFresh(token, bound, connection, account, connector)
  const now = parts.clock()
  await keep(parts, { event: exchangeEvent(trail, now), use: useOf(account, now), marks: run.marks }, word)
  return answerOf(fresh, request, connector, now)
}

/** What the worker says, checked once: it stays as old as it was when it came. Whatever comes of it, it has served. */
function takeWord({ issuer, isSigned, clock }: Parts, { client, subject, trail, marks }: Run): ReplayMark {
  const word = requireWorkerWord(client, subject.worker, { issuer, isSigned, now: clock() })
  Object.assign(trail, { purpose: word.auditContext })
  marks.push(word.mark)
  return word.mark
}

/** The request, with what the operator lets the worker have at most. */
function boundOf({ client, ip }: Run, request: ExchangeRequest): ExchangeRequest & Pick<Wanted, 'ceiling'> {
  return request.subjectKind === 'jwt'
    ? { ...request, ...requireWorkerMay(client.vaultAccess, { ...request, ip }) }
    : request
}

/** A stop is to be seen within a second (contract); a refresh at the provider takes longer than that. */
const STALE_AFTER_MS = 400

async function requireStillSo(parts: Parts, run: Run, request: ExchangeRequest, account: StoredAccount): Promise<void> {
  const facts = await parts.storage.exchanges.find(run.query)
  if (facts.client === undefined) throw new ExchangeRefusal('policy_denied', { reason: 'client_gone' })
  const now = { ...run, client: parts.clientOf(facts.client) }
  requireMayExchange(now.client, request.grant)
  await choose(parts, now, { ...boundOf(now, request), loginHint: account.id }, facts)
}

/** Auth0's rules for the client itself (auth0-wire.md §2.1); RFC 8693 is served to whoever has either grant. */
function requireMayExchange(client: Client, grant: ExchangeGrant): void {
  const allowed = client.grantTypes.some(
    (one) => one === grant || (grant === TOKEN_EXCHANGE_GRANT && one === VAULT_GRANT),
  )
  if (!allowed) throw denied('grant_type_not_allowed', `Grant type '${grant}' not allowed for the client.`)
  if (!client.firstParty) throw denied('third_party', 'The client is not a first-party client.')
  if (!client.oidcConformant) throw denied('not_oidc_conformant', 'The client is not OIDC conformant.')
}

const denied = (reason: string, description: string) => new ExchangeRefusal('client_denied', { reason, description })

interface Chosen {
  readonly account: StoredAccount
  readonly connection: Connection
  readonly connector: Connector
}

/** Subject, limit, connection, account and scopes, on these facts. */
async function choose(
  parts: Parts,
  run: Run,
  request: ExchangeRequest & Pick<Wanted, 'ceiling'>,
  facts: ExchangeFacts,
): Promise<Chosen> {
  const { client, trail } = run
  const subject = requireLiveSubject(run.subject, facts.subject, client, parts.clock())
  Object.assign(trail, subject)
  if (facts === run.facts) await requireWithinLimit(parts, client.clientId, subject.userId)
  if (facts.stopped) throw stoppedByUser(request.connection)
  const connection = facts.connection && parts.connectionOf(facts.connection)
  if (connection !== undefined) trail.connectionId = connection.id
  const usable = allowed(decideConnection({ connection, enabled: facts.enabled }, request)).connection
  const connector = connectorOf(parts.connectors, usable)
  requireServed(request, usable, connector)
  const { sharing } = parts.settings().vault
  const policyFacts = { accounts: facts.accounts, clientId: client.clientId, sharing }
  const { account } = allowed(decideAccount(usable, policyFacts, request, connector.scopes))
  return { account, connection: usable, connector }
}

/** The person's own word, before any policy of the operator's: it holds for every connection. */
const stoppedByUser = (connection: string) =>
  new ExchangeRefusal('policy_denied', {
    connection,
    reason: 'agent_stopped',
    description: 'The user has stopped this client.',
  })

function allowed<T>(decision: Decision<T>): { readonly kind: 'allow' } & T {
  if (decision.kind === 'refuse') throw new ExchangeRefusal(decision.code, decision.details)
  return decision
}

/** RFC 8707: a token is asked for use at one API, which must be one of this provider. */
function requireServed({ resourceHost }: ExchangeRequest, { name }: Connection, { traits }: Connector): void {
  if (resourceHost === undefined || traits.apiHosts.includes(resourceHost)) return
  const description = 'The connection does not serve this resource.'
  throw new ExchangeRefusal('connection_not_enabled', { connection: name, reason: 'unknown_resource', description })
}

async function requireWithinLimit({ limits }: Parts, clientId: string, userId: string): Promise<void> {
  const verdict = await limits.count(clientId, userId)
  if (verdict.kind === 'within') return
  const { retryAfterSeconds, first } = verdict
  throw new ExchangeRefusal('rate_limited', { retryAfterSeconds, ...(first ? {} : { reason: REPEATED }) })
}

const REPEATED = 'repeated'

/** The first refusal of a minute is recorded; a flood of them would only fill the disk. */
const isRepeatedFlood = ({ code, details }: ExchangeRefusal) => code === 'rate_limited' && details.reason === REPEATED

/** A connection whose strategy keeps no tokens, or whose options miss something, serves nobody. */
function connectorOf(connectors: Connectors, connection: Connection): Connector {
  try {
    return connectors.for(connection)
  } catch (cause) {
    if (!(cause instanceof ConnectionUnavailable)) throw cause
    throw new ExchangeRefusal('connection_not_enabled', {
      connection: connection.name,
      reason: connection.damaged ? 'vault_integrity' : 'connection_unavailable',
    })
  }
}

type Fresh = Extract<FreshToken, { kind: 'fresh' }>

function requireFresh(
  token: FreshToken,
  request: Wanted,
  connection: Connection,
  account: StoredAccount,
  connector: Connector,
): Fresh {
  const { name } = connection
  const connect = { connection: name, scopes: account.scopesAsked }
  switch (token.kind) {
    case 'fresh': {
      // The row said so before; the scopes sealed with the token are the ones that hold.
      const refusal = decideScopes(request, token.scopes, connector.scopes)
      if (refusal) throw new ExchangeRefusal(refusal.code, refusal.details)
      return token
    }
    case 'reconnect_required':
      throw new ExchangeRefusal('reconnect_required', { connection: name, reason: token.reason, connect })
    case 'vault_integrity':
      throw new ExchangeRefusal('reconnect_required', { connection: name, reason: 'vault_integrity', connect })
    case 'provider_unavailable':
      throw new ExchangeRefusal('provider_unavailable', {
        connection: name,
        retryAfterSeconds: token.retryAfterSeconds,
      })
    case 'gone':
      throw new ExchangeRefusal('not_connected', { connection: name, connect })
  }
}

/** What another process wrote this minute need not be written again; of its own uses the journal knows. */
const useOf = ({ id, lastUsedAt = 0 }: StoredAccount, now: number) =>
  now - lastUsedAt < USE_RESOLUTION_SECONDS ? undefined : { accountId: id, at: now }

/** For a provider that names no end: SDKs need a number (auth0-wire.md §2.3). */
const SYNTHETIC_TTL_SECONDS = 3600

const answerOf = (token: Fresh, request: ExchangeRequest, { scopes }: Connector, now: number): ExchangeAnswer => ({
  status: 200,
  headers: { ...NO_STORE },
  body: {
    access_token: token.accessToken,
    scope: scopes.spellings(token.scopes).join(' '),
    expires_in: token.expiresAt === undefined ? SYNTHETIC_TTL_SECONDS : token.expiresAt - now,
    issued_token_type: request.issuedTokenType,
    token_type: 'Bearer',
  },
})
