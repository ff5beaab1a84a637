// What an exchange may have, decided on facts (vault.md §2, points 4 to 6). Pure.
import { type Connection, identityUserId, keepsSignInTokens } from '../domain/connection.ts'
import { reachesApis } from '../domain/identity-scopes.ts'
import type { StoredAccount } from '../domain/tokenset.ts'
import type { ScopeRules } from '../upstream/connector.ts'
import type { ExchangeRefusalCode, RefusalDetails } from './exchange-refusal.ts'

export interface ExchangeFactsForPolicy {
  /** Undefined: there is none of that name. */
  readonly connection: Connection | undefined
  /** Enabled for this client. */
  readonly enabled: boolean
  readonly accounts: readonly StoredAccount[]
  readonly clientId: string
  /** `own_client`: a client may use what was connected through itself. */
  readonly sharing: 'first_party' | 'own_client'
}

export interface Wanted {
  readonly connection: string
  readonly loginHint: string | undefined
  readonly scopes: readonly string[]
  /** What a token that is given out may cover at most, when the client has such a bound. */
  readonly ceiling?: readonly string[]
}

export type Decision<T> =
  | ({ readonly kind: 'allow' } & T)
  | { readonly kind: 'refuse'; readonly code: ExchangeRefusalCode; readonly details: RefusalDetails }

/** May this client use this connection at all? */
export function decideConnection(
  { connection, enabled }: Pick<ExchangeFactsForPolicy, 'connection' | 'enabled'>,
  { connection: name }: Pick<Wanted, 'connection'>,
): Decision<{ readonly connection: Connection }> {
  if (connection === undefined) return refuse('connection_unknown', { connection: name })
  if (!enabled) return refuse('connection_not_enabled', { connection: name })
  if (!keepsSignInTokens(connection)) {
    const description = 'The connection keeps no tokens for clients.'
    return refuse('connection_not_enabled', { connection: name, reason: 'connected_accounts_inactive', description })
  }
  return { kind: 'allow', connection }
}

/** Which of the user's accounts, and does what was granted there cover what is asked? */
export function decideAccount(
  connection: Connection,
  facts: Pick<ExchangeFactsForPolicy, 'accounts' | 'clientId' | 'sharing'>,
  wanted: Wanted,
  rules: ScopeRules,
): Decision<{ readonly account: StoredAccount }> {
  const candidates = facts.accounts.filter(
    (account) =>
      account.health !== 'revoked' &&
      (account.purpose === 'sign_in' || connection.connectedAccountsActive) &&
      (facts.sharing === 'first_party' || account.clientId === facts.clientId),
  )
  const chosen =
    wanted.loginHint === undefined ? defaultOf(candidates) : fitting(candidates, connection, wanted.loginHint)
  const [account, ...others] = chosen
  if (account === undefined) {
    const connect = { connection: wanted.connection, scopes: rules.ask(wanted.scopes) }
    return refuse('not_connected', { connection: wanted.connection, connect })
  }
  if (others.length > 0)
    return refuse('account_ambiguous', { connection: wanted.connection, labels: chosen.map((one) => one.label) })
  const refusal = decideScopes(wanted, account.scopesGranted, rules)
  return refusal ?? { kind: 'allow', account }
}

/**
 * The refusal when the scopes granted do not cover those asked, or reach past what the client may have. A provider's
 * token is given whole or not at all.
 */
export function decideScopes(
  { connection, scopes, ceiling }: Wanted,
  granted: readonly string[],
  rules: ScopeRules,
): Extract<Decision<never>, { kind: 'refuse' }> | undefined {
  const beyond = ceiling === undefined ? [] : rules.missing(granted.filter(reachesApis), ceiling)
  if (beyond.length > 0) {
    const description = 'The token can do more at the provider than the client may.'
    return refuse('policy_denied', { connection, reason: 'token_exceeds_grant', description })
  }
  if (scopes.length === 0) return undefined
  const missingScopes = rules.missing(scopes, granted)
  if (missingScopes.length === 0) return undefined
  // Connecting replaces what was granted, so that the hint keeps it.
  const connect = { connection, scopes: rules.ask([...granted, ...missingScopes]) }
  return refuse('scope_missing', { connection, missingScopes, connect })
}

/** The marked one, else the one connected last; a connected account before a sign-in's tokenset. */
function defaultOf(candidates: readonly StoredAccount[]): readonly StoredAccount[] {
  const agents = candidates.filter((account) => account.purpose === 'agents')
  const pool = agents.length > 0 ? agents : candidates
  const chosen = pool.find((account) => account.isDefault) ?? pool[0]
  return chosen === undefined ? [] : [chosen]
}

/** All that a hint fits, each upstream account once: the connected account stands for the sign-in's tokenset beside it. */
function fitting(candidates: readonly StoredAccount[], connection: Connection, hint: string): readonly StoredAccount[] {
  const bySubject = new Map<string, StoredAccount>()
  for (const account of candidates) {
    const names = [account.id, account.subject, identityUserId(connection, account.subject), account.label]
    if (names.includes(hint) && !bySubject.has(account.subject)) bySubject.set(account.subject, account)
  }
  return [...bySubject.values()]
}

const refuse = (code: ExchangeRefusalCode, details: RefusalDetails) => ({ kind: 'refuse', code, details }) as const
