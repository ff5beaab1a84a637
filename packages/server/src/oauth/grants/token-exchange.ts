// RFC 8693 for tokens of our own making: an API that was called on behalf of a person calls the next one, and an app brings
// a token of a provider that the operator trusts for it. Connections' tokens are the exchange's, beside the engine.
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { type Client, parseClient } from '../../domain/client.ts'
import { isString } from '../../lib/json.ts'
import { TOKEN_EXCHANGE_GRANT } from '../../protocol/grant-types.ts'
import { resourceToAudience } from '../audience.ts'
import type { EngineDeps } from '../engine.ts'
import { ACCESS_TOKEN_TYPE } from '../exchange-request.ts'
import { customExchange } from './custom-exchange.ts'
import { onBehalfOf } from './on-behalf-of.ts'

export const EXCHANGE_PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'actor_token',
  'actor_token_type',
  'audience',
  'resource',
  'scope',
] as const

/** A request whose form is right, of a client that may send it. */
export interface OwnExchange {
  readonly client: Client
  readonly subjectToken: string
  readonly subjectTokenType: string
  /** Identifier of an API; undefined: none was named. */
  readonly audience: string | undefined
  readonly scope: string | undefined
}

/** What is recorded, whatever comes of it. */
export interface ExchangeTrail {
  /** A refusal like the one that is recorded already. */
  isRepeated?: boolean
  userId?: string
  actor?: string
  connectionId?: string
  data: Record<string, string | readonly string[]>
}

export function tokenExchangeGrant(provider: Provider, deps: EngineDeps) {
  return async (ctx: KoaContextWithOIDC): Promise<void> => {
    const trail: ExchangeTrail = { data: {} }
    const clientId = ctx.oidc.client?.clientId ?? ''
    try {
      const request = await parseRequest(ctx, deps)
      trail.data.subject_token_type = request.subjectTokenType
      if (request.audience !== undefined) trail.data.audience = request.audience
      const serve = request.subjectTokenType === ACCESS_TOKEN_TYPE ? onBehalfOf : customExchange
      const answer = await serve(provider, ctx, deps, request, trail)
      await record(deps, clientId, trail, 'ok')
      ctx.body = answer
    } catch (error) {
      if (!(error instanceof deps.library.errors.OIDCProviderError)) throw error
      trail.data.code = error.error
      if (trail.isRepeated !== true) await record(deps, clientId, trail, 'refused')
      throw error
    }
  }
}

async function parseRequest(ctx: KoaContextWithOIDC, { library, storage }: EngineDeps): Promise<OwnExchange> {
  const { errors } = library
  const params = ctx.oidc.params ?? {}
  const record = await storage.clients.find(ctx.oidc.client?.clientId ?? '')
  if (record === undefined) throw new errors.InvalidClient('client not found')
  const client = parseClient(record)
  const { subject_token: token, subject_token_type: type, requested_token_type: wanted, scope, audience } = params
  // Who keeps no secret proves nothing: it acts for nobody, and signs people in where the operator said so.
  const mayAsk = !client.publicClient || (type !== ACCESS_TOKEN_TYPE && client.exchangesOpenly)
  if (!mayAsk || !client.firstParty)
    throw new errors.UnauthorizedClient(`Grant type '${TOKEN_EXCHANGE_GRANT}' not allowed for the client.`)
  if (!isString(token) || !isString(type)) throw new errors.InvalidRequest('subject_token and its type are required')
  // Who acts is who authenticated: nobody else is believed to (T-XCH-07).
  if (params.actor_token !== undefined || params.actor_token_type !== undefined)
    throw new errors.InvalidRequest('actor_token is not supported: the actor is the client that asks')
  if (wanted !== undefined && wanted !== ACCESS_TOKEN_TYPE)
    throw new errors.InvalidRequest('requested_token_type is not one that is given here')
  const named = isString(params.resource) ? resourceToAudience(params.resource) : undefined
  if (Array.isArray(params.resource) || (isString(audience) && named !== undefined && named !== audience))
    throw new errors.InvalidTarget('one audience at a time')
  return {
    client,
    subjectToken: token,
    subjectTokenType: type,
    audience: isString(audience) ? audience : named,
    scope: isString(scope) ? scope : undefined,
  }
}

function record(
  { storage, clock }: EngineDeps,
  clientId: string,
  { data, isRepeated: _, ...who }: ExchangeTrail,
  outcome: 'ok' | 'refused',
): Promise<void> {
  const event = { type: 'token.exchanged', at: clock(), outcome, clientId, ...who, data }
  return storage.transaction((tx) => tx.events.append(event))
}

/**
 * Counts an exchange for a person, once it is known who they are. A flood is recorded once a minute (T-XCH-10).
 *
 * @throws {OIDCProviderError} 429 `too_many_requests`, with `Retry-After`.
 */
export async function requireWithinLimit(
  ctx: KoaContextWithOIDC,
  { library, exchangeLimits }: EngineDeps,
  trail: ExchangeTrail,
  { clientId, userId }: { readonly clientId: string; readonly userId: string },
): Promise<void> {
  const verdict = await exchangeLimits.count(clientId, userId)
  if (verdict.kind === 'within') return
  trail.isRepeated = !verdict.first
  ctx.set('retry-after', String(verdict.retryAfterSeconds))
  const { CustomOIDCProviderError } = library.errors
  const error = new CustomOIDCProviderError('too_many_requests', 'Too many exchanges for this user.')
  throw Object.assign(error, { status: 429, statusCode: 429 })
}
