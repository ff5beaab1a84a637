// Serves a set of operations below one base path: who is calling, cross-origin rules, the shape of refusals.
import { type Context, Hono } from 'hono'
import type { Log } from '../lib/log.ts'
import type { LimitVerdict, MinuteLimit } from '../lib/minute-limit.ts'
import type { AccessTokens, VerifiedAccess } from '../oauth/access-tokens.ts'
import type { ProofOfPossession } from '../oauth/proof-of-possession.ts'
import { allowOrigin, type Origins, preflight } from './cors.ts'
import type { Caller, Operation } from './operation.ts'
import { ApiRefusal, challengeOf, tooManyRequests, unauthorized, unproven } from './refusal.ts'

export interface Interface {
  readonly base: string
  readonly audience: string
  readonly operations: readonly Operation[]
  readonly accessTokens: Pick<AccessTokens, 'verify'>
  readonly possession: ProofOfPossession
  readonly origins: Origins
  readonly log: Pick<Log, 'error'>
  /** The token's scopes that count here; throws when such a token has no business here. */
  readonly scopesOf: (access: VerifiedAccess) => ReadonlySet<string>
  /** Throws when a caller that is genuine has no business here now. */
  readonly admit?: (caller: Caller) => Promise<void>
  /** A thrown refusal of any floor as one of this interface; undefined for what is a bug. */
  readonly refusalOf: (error: unknown) => ApiRefusal | undefined
  /** Parameters that every `WWW-Authenticate` of this interface carries. */
  readonly challenge?: Readonly<Record<string, string>>
  /** For one client and user. */
  readonly limit: MinuteLimit
  readonly render: (refusal: ApiRefusal) => { readonly body: unknown; readonly contentType: string }
}

/** Builds the Hono app; its routes carry the base path, so that it can be mounted at the root. */
export function serveInterface(face: Interface): Hono {
  const app = new Hono()
  const methods = new Map<string, string[]>()
  for (const operation of face.operations) {
    const path = honoPath(face.base, operation.spec.path)
    methods.set(path, [...(methods.get(path) ?? []), operation.spec.method.toUpperCase()])
    app.on(operation.spec.method.toUpperCase(), path, (context) => answer(face, context, operation))
  }
  app.options(`${face.base}/*`, async (context) => {
    const origin = context.req.header('origin')
    return preflight(origin, origin !== undefined && (await face.origins.isKnown(origin)))
  })
  for (const [path, allowed] of methods) {
    app.all(path, () =>
      refuse(
        face,
        new ApiRefusal(405, 'method_not_allowed', 'Method Not Allowed', { headers: { allow: allowed.join(', ') } }),
      ),
    )
  }
  app.all(`${face.base}/*`, () => refuse(face, new ApiRefusal(404, 'not_found', 'Not Found')))
  return app
}

/** `/users/{id}` as Hono writes it. The last parameter of an identity may hold encoded slashes, which stay encoded. */
const honoPath = (base: string, path: string): string => base + path.replaceAll(/\{(\w+)\}/g, ':$1')

async function answer(face: Interface, context: Context, operation: Operation): Promise<Response> {
  const origin = context.req.header('origin')
  let access: VerifiedAccess | undefined
  let limit: LimitVerdict | undefined
  let response: Response
  try {
    access = await authenticate(face, shownIn(context))
    limit = await face.limit.count(`${access.clientId} ${access.userId ?? ''}`)
    if (limit.kind === 'exceeded') throw tooManyRequests(limit.retryAfterSeconds)
    const caller: Caller = { ...access, scopes: face.scopesOf(access) }
    await face.admit?.(caller)
    response = await operation.serve(context, caller)
  } catch (error) {
    response = refuse(face, face.refusalOf(error) ?? bug(face, context, error))
  }
  if (limit !== undefined) nameLimit(response, face.limit, limit)
  if (access?.jkt !== undefined) response.headers.set('dpop-nonce', face.possession.nextNonce())
  response.headers.append('vary', 'Origin')
  if (origin !== undefined && (await mayRead(face, origin, access))) allowOrigin(response, origin)
  return response
}

/** What callers are told of their limit (auth0-wire.md §6); `reset` is an instant. */
function nameLimit(response: Response, { points }: MinuteLimit, verdict: LimitVerdict): void {
  const [remaining, seconds] =
    verdict.kind === 'within' ? [verdict.remaining, verdict.resetSeconds] : [0, verdict.retryAfterSeconds]
  response.headers.set('x-ratelimit-limit', String(points))
  response.headers.set('x-ratelimit-remaining', String(remaining))
  response.headers.set('x-ratelimit-reset', String(Math.ceil(Date.now() / 1000) + seconds))
}

/** A page of the calling client; before the client is known, of any: a page must be able to read why it was refused. */
const mayRead = ({ origins }: Interface, origin: string, access: VerifiedAccess | undefined): Promise<boolean> =>
  access === undefined ? origins.isKnown(origin) : origins.isOf(origin, access.clientId)

/** What of a request says who asks. */
export interface Shown {
  readonly method: string
  /** As it was sent, without a query. */
  readonly path: string
  readonly authorization: string | undefined
  readonly dpop: string | undefined
  /** The URL holds an access token. */
  readonly inQuery: boolean
}

const shownIn = ({ req }: Context): Shown => ({
  method: req.method,
  path: req.path,
  authorization: req.header('authorization'),
  dpop: req.header('dpop'),
  inQuery: req.query('access_token') !== undefined,
})

/** @throws {ApiRefusal} 401; 400: the token came in two ways. */
export async function authenticate(
  face: Pick<Interface, 'accessTokens' | 'audience' | 'possession'>,
  { method, path, authorization: header, dpop, inQuery }: Shown,
): Promise<VerifiedAccess> {
  if (header === undefined) throw new ApiRefusal(401, 'missing_authentication', 'Missing authentication')
  // In a URL it lands in logs and histories, and two are one too many (RFC 6750 §2).
  if (inQuery)
    throw new ApiRefusal(400, 'invalid_request', 'The access token is sent in one way: the Authorization header.')
  const [, scheme = '', token = ''] = /^(bearer|dpop) +(\S+)$/i.exec(header) ?? []
  const access = token === '' ? undefined : await face.accessTokens.verify(token)
  if (access === undefined || !access.audiences.includes(face.audience)) throw unauthorized('Invalid token')
  const shown = { token, scheme, jkt: access.jkt, clientId: access.clientId }
  const verdict = await face.possession.check(shown, { method, path, proof: dpop })
  if (verdict.kind === 'holds') return access
  if (verdict.code === 'invalid_token') throw unauthorized('Invalid token')
  throw unproven(verdict.code, face.possession.nextNonce())
}

/** The answer for a refusal. */
export function refuse(face: Pick<Interface, 'render' | 'challenge'>, refusal: ApiRefusal): Response {
  const { body, contentType } = face.render(refusal)
  const headers = new Headers({ 'content-type': contentType, 'cache-control': 'no-store', ...refusal.headers })
  const challenge = challengeOf(refusal, face.challenge)
  if (challenge !== undefined) headers.set('www-authenticate', challenge)
  return new Response(JSON.stringify(body), { status: refusal.status, headers })
}

function bug(face: Interface, context: Context, error: unknown): ApiRefusal {
  face.log.error({ err: error, method: context.req.method, path: context.req.routePath }, 'a request failed')
  return new ApiRefusal(500, 'server_error', 'Internal Server Error')
}
