// Auth0's `audience` on the engine's `resource` (RFC 8707): what a token is for, and what it may say there.
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../domain/client.ts'
import { isJsonObject, isString } from '../lib/json.ts'
import type { ResourceServerRecord } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import { ENGINE_OFFLINE_ACCESS, OIDC_SCOPES, splitScope } from './scopes.ts'

const PRIVATE_RESOURCE = 'urn:tenon:audience:'

/** The engine takes URIs only; any other name travels in a private URN. */
export const audienceToResource = (audience: string): string =>
  URL.canParse(audience) && !audience.includes('#') ? audience : PRIVATE_RESOURCE + encodeURIComponent(audience)

export const resourceToAudience = (resource: string): string =>
  resource.startsWith(PRIVATE_RESOURCE) ? decodeURIComponent(resource.slice(PRIVATE_RESOURCE.length)) : resource

export interface Audience {
  readonly identifier: string
  /** What this client may get there for this kind of subject. */
  readonly scopes: readonly string[]
  readonly tokenSeconds: number | undefined
  readonly signingAlg: SigningAlgorithm
  /** Refresh tokens may be asked with it. */
  readonly offlineAccess: boolean
}

export type AudienceAnswer =
  | ({ readonly kind: 'found' } & Audience)
  | { readonly kind: 'unknown' }
  /** The audience wants a client grant and there is none for this client and subject type. */
  | { readonly kind: 'not_granted' }

/**
 * What a client may ask of an audience. Machines always need a client grant. People need one (`subject_type: user`)
 * for our own two APIs and where the resource server's policy says so; it then narrows the scopes.
 */
export async function findAudience(
  repositories: Repositories,
  query: { identifier: string; clientId: string; subjectType: 'user' | 'client'; issuer: string },
): Promise<AudienceAnswer> {
  const { identifier, clientId, subjectType, issuer } = query
  const server = await repositories.resourceServers.findByIdentifier(identifier)
  if (server === undefined) return { kind: 'unknown' }
  const common = {
    kind: 'found',
    identifier,
    tokenSeconds: tokenSecondsOf(server),
    signingAlg: SIGNING_ALGORITHMS.find((one) => one === server.document.signing_alg) ?? 'RS256',
    offlineAccess: server.document.allow_offline_access === true,
  } as const
  const ownApi = identifier === `${issuer}api/v2/` || identifier === `${issuer}me/`
  const policy = policyOf(server, subjectType)
  if (policy === 'deny_all' || (subjectType === 'client' && identifier === `${issuer}me/`))
    return { kind: 'not_granted' }
  const grantWanted = subjectType === 'client' ? policy !== 'allow_all' : ownApi || policy === 'require_client_grant'
  if (!grantWanted) return { ...common, scopes: scopesOf(server) }
  const grant = await repositories.clientGrants.findFor(clientId, identifier, subjectType)
  if (grant === undefined) return { kind: 'not_granted' }
  return { ...common, scopes: grant.scopes }
}

/** The scope string of an audience as the engine wants it: its own scopes and the OpenID ones, for one token has both. */
export function engineScopesOf({ scopes, offlineAccess }: Audience): string {
  const ours = OIDC_SCOPES.filter((scope) => offlineAccess || scope !== ENGINE_OFFLINE_ACCESS)
  return [...new Set([...ours, ...scopes])].join(' ')
}

/** Requested scopes that an audience has; all of its scopes when none were asked by name. */
export function grantedScopes(audience: Audience, requested: string | undefined): readonly string[] {
  const asked = splitScope(requested)
  return asked.length === 0 ? audience.scopes : asked.filter((scope) => audience.scopes.includes(scope))
}

function scopesOf(server: ResourceServerRecord): readonly string[] {
  const { scopes } = server.document
  if (!Array.isArray(scopes)) return []
  return scopes.map((scope) => (isJsonObject(scope) ? scope.value : undefined)).filter(isString)
}

function tokenSecondsOf(server: ResourceServerRecord): number | undefined {
  const { token_lifetime: seconds } = server.document
  return typeof seconds === 'number' ? seconds : undefined
}

function policyOf(server: ResourceServerRecord, subjectType: 'user' | 'client'): string | undefined {
  const { subject_type_authorization: authorization } = server.document
  const own = isJsonObject(authorization) ? authorization[subjectType] : undefined
  return isJsonObject(own) && isString(own.policy) ? own.policy : undefined
}
