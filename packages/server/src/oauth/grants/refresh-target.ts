// What a refresh may ask for: the same audience with fewer scopes, or another audience by the client's policy.
import type { RefreshPolicy, SigningAlgorithm } from '../../domain/client.ts'
import { type Audience, engineScopesOf, findAudience, resourceToAudience } from '../audience.ts'
import type { EngineDeps } from '../engine.ts'
import { OIDC_SCOPES } from '../scopes.ts'

export interface RefreshRequest {
  readonly clientId: string
  readonly policies: readonly RefreshPolicy[]
  readonly granted: readonly string[]
  readonly grantedResource: string | undefined
  readonly requested: readonly string[] | undefined
  readonly requestedResource: string | undefined
}

export interface RefreshTarget {
  readonly kind: 'target'
  readonly scopes: readonly string[]
  /** Undefined: an opaque token for user-info. */
  readonly resource: { readonly uri: string; readonly info: ResourceInfo } | undefined
}

interface ResourceInfo {
  readonly scope: string
  readonly audience: string
  readonly accessTokenFormat: 'jwt'
  readonly accessTokenTTL: number
  readonly jwt: { readonly sign: { readonly alg: SigningAlgorithm } }
}

export type RefreshAnswer =
  | RefreshTarget
  | { readonly kind: 'scope_refused'; readonly scopes: readonly string[] }
  | { readonly kind: 'audience_refused'; readonly audience: string }

/** Decides audience and scopes; client grants are read now, so that taking one away counts at the next refresh. */
export async function decideRefreshTarget(deps: EngineDeps, request: RefreshRequest): Promise<RefreshAnswer> {
  const uri = request.requestedResource ?? request.grantedResource
  if (uri === undefined) return withinGranted(request, undefined)
  const audience = resourceToAudience(uri)
  const found = await findAudience(deps.storage, {
    identifier: audience,
    clientId: request.clientId,
    subjectType: 'user',
    issuer: deps.issuer,
  })
  if (found.kind !== 'found') return { kind: 'audience_refused', audience }
  const info = resourceInfoOf(found, deps)
  const allowedHere = new Set([...OIDC_SCOPES, ...found.scopes])
  if (uri === request.grantedResource) return withinGranted(request, { uri, info }, allowedHere)
  const policy = policyFor(request.policies, audience)
  if (policy === undefined) return { kind: 'audience_refused', audience }
  const reachable = new Set([...request.granted.filter((scope) => OIDC_SCOPES.includes(scope)), ...policy])
  const asked = request.requested ?? [...reachable]
  return {
    kind: 'target',
    scopes: asked.filter((scope) => reachable.has(scope) && allowedHere.has(scope)),
    resource: { uri, info },
  }
}

/** What the engine wants to know of an audience that a token is for. */
export const resourceInfoOf = (audience: Audience, { settings }: Pick<EngineDeps, 'settings'>): ResourceInfo => ({
  scope: engineScopesOf(audience),
  audience: audience.identifier,
  accessTokenFormat: 'jwt',
  accessTokenTTL: audience.tokenSeconds ?? settings().accessTokenSeconds,
  jwt: { sign: { alg: audience.signingAlg } },
})

/** RFC 6749 §6: never more than was granted. */
function withinGranted(
  request: RefreshRequest,
  resource: RefreshTarget['resource'],
  allowed?: ReadonlySet<string>,
): RefreshAnswer {
  const { granted, requested } = request
  const missing = (requested ?? []).filter((scope) => !granted.includes(scope))
  if (missing.length > 0) return { kind: 'scope_refused', scopes: missing }
  const scopes = (requested ?? granted).filter((scope) => (allowed ?? new Set(OIDC_SCOPES)).has(scope))
  return { kind: 'target', scopes, resource }
}

const policyFor = (policies: readonly RefreshPolicy[], audience: string): readonly string[] | undefined =>
  policies.find((policy) => policy.audience === audience)?.scopes
