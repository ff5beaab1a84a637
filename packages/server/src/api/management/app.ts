// The Management API, compatible with Auth0's (auth0-wire.md §6).
import type { Hono } from 'hono'
import { MANAGEMENT_API_PATH } from '../../protocol/built-in.ts'
import type { Operation } from '../operation.ts'
import { type ApiRefusal, STATUS_NAMES } from '../refusal.ts'
import { refusalOf } from '../refusal-of.ts'
import { serveInterface } from '../serve.ts'
import { scopesOf } from './caller.ts'
import { clientCredentialOperations } from './client-credentials.ts'
import { clientGrantOperations } from './client-grants.ts'
import { clientOperations } from './clients.ts'
import { connectionOperations } from './connections.ts'
import type { ManagementDeps } from './deps.ts'
import { deviceCredentialOperations } from './device-credentials.ts'
import { endingAccountOperations } from './ending-accounts.ts'
import { exchangeProfileOperations } from './exchange-profiles.ts'
import { grantOperations } from './grants.ts'
import { identityOperations } from './identities.ts'
import { jobOperations } from './jobs.ts'
import { linkOperations } from './links.ts'
import { logOperations } from './logs.ts'
import { organizationOperations } from './organizations.ts'
import { refreshTokenOperations } from './refresh-tokens.ts'
import { resourceServerOperations } from './resource-servers.ts'
import { sessionOperations } from './sessions.ts'
import { signingKeyOperations } from './signing-keys.ts'
import { tenantSettingsOperations } from './tenant-settings.ts'
import { ticketOperations } from './tickets.ts'
import { tokensetOperations } from './tokensets.ts'
import { userAccessOperations } from './user-access.ts'
import { userOperations } from './users.ts'
import { verificationJobOperations } from './verification-jobs.ts'

export const MANAGEMENT_BASE = '/api/v2'

/** Everything below `/api/v2`; mount it at the root. */
export function createManagementApi(deps: ManagementDeps): Hono {
  const { issuer, accessTokens, possession, limit, origins, log } = deps
  return serveInterface({
    base: MANAGEMENT_BASE,
    audience: `${issuer}${MANAGEMENT_API_PATH}`,
    operations: managementOperations(deps),
    accessTokens,
    possession,
    limit,
    origins,
    log,
    scopesOf,
    refusalOf,
    render: (refusal) => ({ body: serializeRefusal(refusal), contentType: 'application/json; charset=utf-8' }),
  })
}

/** For the OpenAPI document as well. */
export const managementOperations = (deps: ManagementDeps): readonly Operation[] => [
  ...userOperations(deps),
  ...identityOperations(deps),
  ...linkOperations(deps),
  ...userAccessOperations(deps),
  ...endingAccountOperations(deps),
  ...tokensetOperations(deps),
  ...connectionOperations(deps),
  ...clientOperations(deps),
  ...clientCredentialOperations(deps),
  ...clientGrantOperations(deps),
  ...resourceServerOperations(deps),
  ...exchangeProfileOperations(deps),
  ...logOperations(deps),
  ...grantOperations(deps),
  ...sessionOperations(deps),
  ...refreshTokenOperations(deps),
  ...deviceCredentialOperations(deps),
  ...signingKeyOperations(deps),
  ...tenantSettingsOperations(deps),
  ...ticketOperations(deps),
  ...organizationOperations(deps),
  ...jobOperations(deps),
  ...verificationJobOperations(deps),
]

/** Auth0's shape; a 401 has no `errorCode` (auth0-wire.md §3.2). */
function serializeRefusal({ status, code, message, details }: ApiRefusal) {
  const error = STATUS_NAMES[status] ?? 'Error'
  if (status === 401) return { statusCode: status, error, message, attributes: { error: message } }
  return { ...details, statusCode: status, error, message, errorCode: code }
}
