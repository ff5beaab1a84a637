// An API that was called with a person's token calls another API for them (RFC 8693 §1.1, delegation). The new token says
// who acts, reaches no further than the old one and ends with it.
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { VerifiedAccess } from '../access-tokens.ts'
import { actedBy, actorsOf, firstHolder, MAX_ACTORS } from '../actors.ts'
import { type Audience, audienceToResource, findAudience } from '../audience.ts'
import { requiredProof, tokenTypeOf } from '../dpop.ts'
import type { EngineDeps } from '../engine.ts'
import { ACCESS_TOKEN_TYPE } from '../exchange-request.ts'
import { splitScope } from '../scopes.ts'
import { issueAccess } from './issue.ts'
import { resourceInfoOf } from './refresh-target.ts'
import { type ExchangeTrail, type OwnExchange, requireWithinLimit } from './token-exchange.ts'

export async function onBehalfOf(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  deps: EngineDeps,
  request: OwnExchange,
  trail: ExchangeTrail,
): Promise<object> {
  const { client } = request
  const dpop = await requiredProof(provider, ctx, deps)
  const subject = await requireSubject(deps, request)
  const { userId, grantId } = subject
  Object.assign(trail, { userId, actor: client.clientId })
  trail.data.issued_to = subject.clientId
  await requireWithinLimit(ctx, deps, trail, { clientId: client.clientId, userId })
  const actors = [client.clientId, ...subject.actors]
  if ((await firstHolder(deps.storage, { userId, grantId, actors })) === undefined)
    throw new deps.library.errors.AccessDenied('The user has stopped this client, or one before it.')
  const audience = await requireAudience(deps, request)
  const scopes = narrowed(deps, request, audience, subject)
  trail.data.scopes = scopes
  const info = resourceInfoOf(audience, deps)
  const left = Number(subject.claims.exp) - deps.clock()
  if (!(left > 0)) throw invalidSubject(deps)
  const access = await issueAccess(
    provider,
    ctx,
    {
      accountId: userId,
      // The same grant: whoever ends it, or what it was given to, ends this as well.
      grantId,
      gty: 'token_exchange',
      act: actedBy(client.clientId, subject.claims),
      expiresIn: Math.min(left, info.accessTokenTTL),
    },
    { kind: 'target', scopes, resource: { uri: audienceToResource(audience.identifier), info } },
    dpop?.thumbprint,
  )
  return {
    access_token: access.value,
    issued_token_type: ACCESS_TOKEN_TYPE,
    token_type: tokenTypeOf(dpop),
    expires_in: access.expiresIn,
    scope: scopes.join(' '),
  }
}

interface Subject extends VerifiedAccess {
  readonly userId: string
  readonly grantId: string
  readonly actors: readonly string[]
}

const invalidSubject = ({ library }: EngineDeps) => new library.errors.InvalidGrant('subject_token is not valid')

/** A live token of a person, for the API that the client is; one bound to a key would need its proof, which is not here. */
async function requireSubject(deps: EngineDeps, { client, subjectToken }: OwnExchange): Promise<Subject> {
  const subject = await deps.verifyAccess(subjectToken)
  const { resourceServerIdentifier: api } = client
  if (subject?.userId === undefined || subject.grantId === undefined || subject.jkt !== undefined)
    throw invalidSubject(deps)
  if (api === undefined || !subject.audiences.includes(api)) throw invalidSubject(deps)
  const actors = actorsOf(subject.claims)
  if (actors === undefined || actors.length >= MAX_ACTORS)
    throw new deps.library.errors.InvalidRequest(`a token is handed on at most ${MAX_ACTORS} times`)
  return { ...subject, userId: subject.userId, grantId: subject.grantId, actors }
}

async function requireAudience(deps: EngineDeps, { client, audience: identifier }: OwnExchange): Promise<Audience> {
  const { errors } = deps.library
  if (identifier === undefined) throw new errors.InvalidRequest('audience is required')
  const query = { identifier, clientId: client.clientId, subjectType: 'user', issuer: deps.issuer } as const
  const found = await findAudience(deps.storage, query)
  if (found.kind === 'unknown') throw new errors.InvalidTarget(`Service not found: ${identifier}`)
  // An API that anybody's sign-in may name is not thereby open to every other API.
  const granted = await deps.storage.clientGrants.findFor(client.clientId, identifier, 'user')
  if (found.kind === 'not_granted' || granted === undefined)
    throw new errors.AccessDenied(`Client "${client.clientId}" is not authorized to access "${identifier}".`)
  return { ...found, scopes: found.scopes.filter((scope) => granted.scopes.includes(scope)) }
}

/** What the person gave the first client, the operator gives this one there, and the API has: nothing else (T-AGT-08). */
function narrowed(
  { library }: EngineDeps,
  { scope }: OwnExchange,
  audience: Audience,
  subject: Subject,
): readonly string[] {
  const reachable = audience.scopes.filter((one) => subject.scopes.has(one))
  if (scope === undefined) return reachable
  const asked = splitScope(scope)
  const missing = asked.filter((one) => !reachable.includes(one))
  if (missing.length > 0)
    throw new library.errors.InvalidScope('the subject token does not reach so far', missing.join(' '))
  return asked
}
