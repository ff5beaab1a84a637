// The vault exchange: a token of ours for an access token of the user's upstream account (vault.md §2). The product's
// hot path: one read, one shared write, no session and no engine.
import { findMergedInto } from '../accounts/merged-into.ts'
import { decidePolicy, mayTakeCredential } from '../domain/agent-policy.ts'
import type { Client } from '../domain/client.ts'
import { parseClient } from '../domain/client.ts'
import type { Connection } from '../domain/connection.ts'
import type { Settings } from '../domain/settings.ts'
import type { StoredAccount } from '../domain/tokenset.ts'
import type { JsonObject } from '../lib/json.ts'
import { once } from '../lib/once.ts'
import type { Clock } from '../lib/time.ts'
import type { ClientRecord, ConnectionRecord, ExchangeFacts, ExchangeQuery, ReplayMark } from '../storage/records.ts'
import type { Storage } from '../storage/storage.ts'
import { BEARER, type Connector } from '../upstream/connector.ts'
import type { Connectors } from '../upstream/connectors.ts'
import type { ConnectionReader } from '../vault/connections.ts'
import type { Vault } from '../vault/vault.ts'
import type { AccessTokens } from './access-tokens.ts'
import {
  allowed,
  connectorOf,
  type Fresh,
  isRepeatedFlood,
  requireFresh,
  requireMayExchange,
  requireWithinLimit,
  STALE_AFTER_MS,
  stoppedByUser,
  useOf,
} from './account-use.ts'
import {
  type AssertionVerifier,
  createAssertionVerifier,
  createSignatureCheck,
  type SignatureCheck,
} from './client-assertion.ts'
import { authenticateClient, readCredentials } from './client-auth.ts'
import { createExchangeJournal, type ExchangeJournal, type JournalEntry } from './exchange-journal.ts'
import { createExchangeLimits, type ExchangeLimits } from './exchange-limits.ts'
import { decideAccount, decideConnection, type Wanted } from './exchange-policy.ts'
import { exchangeEvent, type Trail } from './exchange-record.ts'
import { ClientAuthFailed, type ExchangeAnswer, ExchangeRefusal, NO_STORE, refusalAnswer } from './exchange-refusal.ts'
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
import { type Admission, approvalUsed, refusalOf, type UsePolicy } from './use-policy.ts'

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
  readonly policies: UsePolicy
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
 * @throws {ClientAuthFailed} the assertion had served before.
 * @throws {ExchangeRefusal} `subject_token_invalid`: the worker's word had; `policy_denied`: the person's yes had.
 */
async function keep(
  { journal }: Parts,
  entry: JournalEntry,
  { word, yes, connection = '' }: Serving = {},
): Promise<void> {
  const repeated = await journal.record(entry)
  if (repeated === undefined) return
  if (repeated === yes) throw approvalUsed(connection)
  if (repeated !== word) throw new ClientAuthFailed()
  const description = 'Unknown or invalid subject token.'
  throw new ExchangeRefusal('subject_token_invalid', { reason: 'replayed', description })
}

/** Marks of what serves once. */
interface Serving {
  /** What a worker said. */
  readonly word?: ReplayMark | undefined
  /** What the person said. */
  readonly yes?: ReplayMark | undefined
  readonly connection?: string
}

const isReplay = ({ details: { reason } }: ExchangeRefusal) => reason === 'replayed' || reason === 'approval_used'

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
  const { account, connector, connection, yes } = await choose(parts, run, bound, run.facts)
  const token = await parts.vault.freshToken(account, request.minTtlSeconds)
  if (performance.now() - run.readAtMs > STALE_AFTER_MS) await requireStillSo(parts, run, request, account)
  const fresh = requireFresh(token, bound, connection, account, connector)
  const now = parts.clock()
  const marks = yes === undefined ? run.marks : [...run.marks, yes]
  const entry = { event: exchangeEvent(trail, now), use: useOf(account, now), marks }
  await keep(parts, entry, { word, yes, connection: connection.name })
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

async function requireStillSo(parts: Parts, run: Run, request: ExchangeRequest, account: StoredAccount): Promise<void> {
  const facts = await parts.storage.exchanges.find(run.query)
  if (facts.client === undefined) throw new ExchangeRefusal('policy_denied', { reason: 'client_gone' })
  const now = { ...run, client: parts.clientOf(facts.client) }
  requireMayExchange(now.client, request.grant)
  await choose(parts, now, { ...boundOf(now, request), loginHint: account.id }, facts)
}

interface Chosen {
  readonly account: StoredAccount
  readonly connection: Connection
  readonly connector: Connector
  /** Mark of the person's yes to this. */
  readonly yes: ReplayMark | undefined
}

/** Subject, limit, connection, account, scopes and policy, on these facts. */
async function choose(
  parts: Parts,
  run: Run,
  request: ExchangeRequest & Pick<Wanted, 'ceiling'>,
  facts: ExchangeFacts,
): Promise<Chosen> {
  const { client, trail } = run
  const subject = requireLiveSubject(run.subject, facts.subject, client, parts.clock())
  Object.assign(trail, subject)
  if (facts === run.facts) await requireWithinLimit(parts.limits, client.clientId, subject.userId)
  if (facts.stopped) throw stoppedByUser(request.connection)
  const connection = facts.connection && parts.connectionOf(facts.connection)
  if (connection !== undefined) trail.connectionId = connection.id
  const usable = allowed(decideConnection({ connection, enabled: facts.enabled }, request)).connection
  const connector = connectorOf(parts.connectors, usable)
  requireMayTake(client, usable, connector)
  requireServed(request, usable, connector)
  const { sharing } = parts.settings().vault
  const policyFacts = { accounts: facts.accounts, clientId: client.clientId, sharing }
  const decision = decideAccount(usable, policyFacts, request, connector.scopes)
  const about = { run, request, connector, userId: subject.userId, isNew: facts === run.facts }
  if (decision.kind === 'refuse') {
    requirePolicy(parts, about)
    throw new ExchangeRefusal(decision.code, decision.details)
  }
  const { account } = decision
  trail.accountId = account.id
  const { mark: yes, observed } = await admit(parts, about, account)
  if (observed !== undefined) trail.observed = observed
  return { account, connection: usable, connector, yes }
}

interface About {
  readonly run: Run
  readonly request: ExchangeRequest
  readonly connector: Connector
  readonly userId: string
  readonly isNew: boolean
}

const actOf = ({ connection, scopes }: ExchangeRequest, granted: readonly string[]) =>
  ({ kind: 'token', connection, scopes, granted }) as const

/** What the operator does not allow is said before what the person might. */
function requirePolicy({ clock }: Parts, { run: { client }, request, connector }: About): void {
  const { policy } = client
  if (policy === undefined || policy.observed) return
  const facts = { policy, act: actOf(request, []), now: clock(), rateWaitSeconds: 0, missing: connector.scopes.missing }
  const decision = decidePolicy(facts)
  if (decision.kind === 'refuse') throw refusalOf(decision, request.connection)
}

function admit(
  { policies, clock }: Parts,
  { run: { client, trail }, request, connector, userId, isNew }: About,
  { id: accountId, label, scopesGranted }: StoredAccount,
): Promise<Admission> {
  const act = actOf(request, scopesGranted)
  return policies.admit({
    ...{ client, userId, act, rules: connector.scopes, at: clock(), isNew, purpose: trail.purpose },
    question: ({ validSeconds }) => {
      return { kind: 'token', connection: request.connection, accountId, label, validSeconds, scopes: scopesGranted }
    },
  })
}

/** @throws {ExchangeRefusal} `policy_denied`: through the proxy it may be used, and not be seen. */
function requireMayTake({ policy }: Client, { name }: Connection, { credential }: Connector): void {
  if (credential === undefined || mayTakeCredential(policy, name)) return
  throw new ExchangeRefusal('policy_denied', { connection: name, reason: 'proxy_only', rule: 'P4' })
}

/** RFC 8707: a token is asked for use at one API, which must be one of this provider. */
function requireServed({ resourceHost }: ExchangeRequest, { name }: Connection, { traits }: Connector): void {
  if (resourceHost === undefined || traits.apiHosts.includes(resourceHost)) return
  const description = 'The connection does not serve this resource.'
  throw new ExchangeRefusal('connection_not_enabled', { connection: name, reason: 'unknown_resource', description })
}

/** For a provider that names no end: SDKs need a number (auth0-wire.md §2.3). */
const SYNTHETIC_TTL_SECONDS = 3600

const answerOf = (token: Fresh, request: ExchangeRequest, connector: Connector, now: number): ExchangeAnswer => ({
  status: 200,
  headers: { ...NO_STORE },
  body: {
    access_token: token.accessToken,
    scope: connector.scopes.spellings(token.scopes).join(' '),
    expires_in: token.expiresAt === undefined ? SYNTHETIC_TTL_SECONDS : token.expiresAt - now,
    issued_token_type: request.issuedTokenType,
    token_type: 'Bearer',
    ...(connector.credential === undefined ? {} : wayOf(connector)),
  },
})

/** RFC 8693 §2.2.1: `N_A` for what is no bearer token; `tenon` says how it is sent then. */
function wayOf({ traits: { apiHeader } }: Connector): JsonObject {
  const isBearer = apiHeader.name === BEARER.name && apiHeader.prefix === BEARER.prefix
  return isBearer ? {} : { token_type: 'N_A', tenon: { header: apiHeader.name, prefix: apiHeader.prefix } }
}
