// What the exchange and the proxy have in common: who may use accounts at all, and what becomes of an account's token.
import type { Client } from '../domain/client.ts'
import type { Connection } from '../domain/connection.ts'
import type { StoredAccount } from '../domain/tokenset.ts'
import { TOKEN_EXCHANGE_GRANT, VAULT_GRANT } from '../protocol/grant-types.ts'
import type { Connector } from '../upstream/connector.ts'
import type { Connectors } from '../upstream/connectors.ts'
import { ConnectionUnavailable } from '../upstream/errors.ts'
import type { FreshToken } from '../vault/fresh-token.ts'
import { USE_RESOLUTION_SECONDS } from './exchange-journal.ts'
import type { ExchangeLimits } from './exchange-limits.ts'
import { type Decision, decideScopes, type Wanted } from './exchange-policy.ts'
import { type ExchangeGrant, ExchangeRefusal } from './exchange-refusal.ts'

/** A stop is to be seen within a second (contract); a refresh at the provider takes longer than that. */
export const STALE_AFTER_MS = 400

/** Auth0's rules for the client itself (auth0-wire.md §2.1); RFC 8693 is served to whoever has either grant. */
export function requireMayExchange(client: Client, grant: ExchangeGrant): void {
  const allowed = client.grantTypes.some(
    (one) => one === grant || (grant === TOKEN_EXCHANGE_GRANT && one === VAULT_GRANT),
  )
  if (!allowed) throw denied('grant_type_not_allowed', `Grant type '${grant}' not allowed for the client.`)
  if (!client.firstParty) throw denied('third_party', 'The client is not a first-party client.')
  if (!client.oidcConformant) throw denied('not_oidc_conformant', 'The client is not OIDC conformant.')
}

const denied = (reason: string, description: string) => new ExchangeRefusal('client_denied', { reason, description })

/** The person's own word, before any policy of the operator's: it holds for every connection. */
export const stoppedByUser = (connection: string) =>
  new ExchangeRefusal('policy_denied', {
    connection,
    reason: 'agent_stopped',
    description: 'The user has stopped this client.',
  })

export function allowed<T>(decision: Decision<T>): { readonly kind: 'allow' } & T {
  if (decision.kind === 'refuse') throw new ExchangeRefusal(decision.code, decision.details)
  return decision
}

export async function requireWithinLimit(limits: ExchangeLimits, clientId: string, userId: string): Promise<void> {
  const verdict = await limits.count(clientId, userId)
  if (verdict.kind === 'within') return
  const { retryAfterSeconds, first } = verdict
  throw new ExchangeRefusal('rate_limited', { retryAfterSeconds, ...(first ? {} : { reason: REPEATED }) })
}

const REPEATED = 'repeated'

/** The first refusal of a minute is recorded; a flood of them would only fill the disk. */
export const isRepeatedFlood = ({ code, details }: ExchangeRefusal) =>
  code === 'rate_limited' && details.reason === REPEATED

/** A connection whose strategy keeps no tokens, or whose options miss something, serves nobody. */
export function connectorOf(connectors: Connectors, connection: Connection): Connector {
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

export type Fresh = Extract<FreshToken, { kind: 'fresh' }>

export function requireFresh(
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
export const useOf = ({ id, lastUsedAt = 0 }: StoredAccount, now: number) =>
  now - lastUsedAt < USE_RESOLUTION_SECONDS ? undefined : { accountId: id, at: now }
