// The third kind of subject token: a JWT in which a worker names the user itself, without the user there
// (auth0-wire.md §2.2). What the operator allowed such a client stands in `token_vault_privileged_access`.
import type { ParsedJwt } from '../crypto/jwt.ts'
import type { Client, PrivilegedVaultAccess } from '../domain/client.ts'
import { isString, type JsonObject } from '../lib/json.ts'
import { isInNetworks } from '../lib/networks.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { ReplayMark } from '../storage/records.ts'
import { jwtMark, type SignatureCheck } from './client-assertion.ts'
import { ExchangeRefusal, type RefusalDetails } from './exchange-refusal.ts'

export interface WorkerWord {
  /** Why, in the worker's words; it goes into the event. */
  readonly auditContext: string
  /** Its mark: the word counts once this is stored, as the first of its kind. */
  readonly mark: ReplayMark
}

export interface WorkerDeps {
  readonly issuer: string
  readonly isSigned: SignatureCheck
  readonly now: EpochSeconds
}

const TYPES = ['token-vault-req+jwt']
/** However long the token says that it lives. */
const MAX_AGE_SECONDS = 60
const SKEW_SECONDS = 10
const MAX_JTI_LENGTH = 512
const MAX_CONTEXT_LENGTH = 256

/** @throws {ExchangeRefusal} `subject_token_invalid`; which check failed is nobody's business outside. */
export function requireWorkerWord(client: Client, jwt: ParsedJwt | undefined, deps: WorkerDeps): WorkerWord {
  const { clientId, vaultAccess } = client
  const word = jwt && judgeClaims(jwt.claims, clientId, deps)
  if (
    jwt === undefined ||
    word === undefined ||
    !deps.isSigned(jwt, vaultAccess?.keys ?? [], { types: TYPES, now: deps.now })
  )
    throw new ExchangeRefusal('subject_token_invalid', { description: 'Unknown or invalid subject token.' })
  // There is no organization that the user could be a member of.
  if (jwt.claims.org_id !== undefined) throw denied('organization_unknown')
  const expiresAt = deps.now + MAX_AGE_SECONDS + 2 * SKEW_SECONDS
  return {
    auditContext: word.auditContext,
    mark: jwtMark(`vault request ${clientId} ${word.jti}`, expiresAt),
  }
}

function judgeClaims(
  { iss, sub, aud, iat, exp, nbf, jti, audit_context: auditContext }: JsonObject,
  clientId: string,
  { issuer, now }: WorkerDeps,
): { readonly jti: string; readonly auditContext: string } | undefined {
  if (iss !== clientId || !isString(sub) || sub === '' || aud !== issuer) return undefined
  if (!isSeconds(iat) || iat - SKEW_SECONDS > now || now - iat > MAX_AGE_SECONDS) return undefined
  if (exp !== undefined && (!isSeconds(exp) || exp <= now)) return undefined
  if (nbf !== undefined && (!isSeconds(nbf) || nbf - SKEW_SECONDS > now)) return undefined
  if (!isString(jti) || jti === '' || jti.length > MAX_JTI_LENGTH) return undefined
  if (!isString(auditContext) || auditContext === '' || auditContext.length > MAX_CONTEXT_LENGTH) return undefined
  return /\p{Cc}|\p{Cs}/u.test(auditContext) ? undefined : { jti, auditContext }
}

const isSeconds = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

/** From where, and for which connection and scopes, the operator lets it ask: all of it must be said. */
export function requireWorkerMay(
  access: PrivilegedVaultAccess | undefined,
  asked: { readonly ip: string | undefined; readonly connection: string; readonly scopes: readonly string[] },
): { readonly ceiling: readonly string[] } {
  const { ip, connection } = asked
  if (ip === undefined || !isInNetworks(ip, access?.ipAllowlist ?? [])) throw denied('ip_not_allowed', { connection })
  const grant = access?.grants.find((one) => one.connection === connection)
  if (grant === undefined) throw denied('connection_not_granted', { connection })
  const missing = asked.scopes.filter((scope) => !grant.scopes.includes(scope))
  if (missing.length > 0) throw denied('scope_not_granted', { connection, missingScopes: missing })
  return { ceiling: grant.scopes }
}

const denied = (reason: string, details: RefusalDetails = {}) =>
  new ExchangeRefusal('policy_denied', { ...details, reason })
