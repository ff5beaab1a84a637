// The My Account API (auth0-wire.md §3.5).
import { Hono } from 'hono'
import { MY_ACCOUNT_SCOPES } from '../../protocol/api-scopes.ts'
import { MY_ACCOUNT_API_PATH } from '../../protocol/built-in.ts'
import type { Operation } from '../operation.ts'
import { ApiRefusal, STATUS_NAMES } from '../refusal.ts'
import { refusalOf } from '../refusal-of.ts'
import { serveInterface } from '../serve.ts'
import { accountOperations } from './accounts.ts'
import { capabilityOperations } from './capabilities.ts'
import { connectOperations } from './connect.ts'
import type { MeDeps } from './deps.ts'
import { type MeCaller, userOf } from './me-caller.ts'

export const ME_BASE = '/me/v1'
export const ME_METADATA_PATH = `/.well-known/oauth-protected-resource${ME_BASE}`

/** Everything below `/me/v1`, and its metadata; mount it at the root. */
export function createMeApi(deps: MeDeps): Hono {
  const { issuer, accessTokens, possession, limit, origins, log } = deps
  const app = new Hono()
  app.get(ME_METADATA_PATH, (context) => {
    context.header('access-control-allow-origin', '*')
    return context.json(protectedResourceMetadata(issuer))
  })
  const face = serveInterface({
    base: ME_BASE,
    audience: `${issuer}${MY_ACCOUNT_API_PATH}`,
    operations: meOperations(deps),
    accessTokens,
    possession,
    limit,
    origins,
    log,
    scopesOf: (access) => userOf(access).scopes,
    admit: (access) => requireNotStopped(deps, userOf(access)),
    refusalOf,
    challenge: { resource_metadata: `${issuer}${ME_METADATA_PATH.slice(1)}` },
    render: (refusal) => ({ body: serializeProblem(refusal), contentType: 'application/problem+json; charset=utf-8' }),
  })
  return app.route('/', face)
}

/** What the person stopped gets nothing here either, as soon as they did (vault.md §5). */
async function requireNotStopped({ storage }: MeDeps, { userId, clientId }: MeCaller): Promise<void> {
  if ((await storage.agentStops.find(userId, clientId)) === undefined) return
  throw new ApiRefusal(403, 'policy_denied', 'The user has stopped this client.', { reason: 'agent_stopped' })
}

/** For the OpenAPI document as well. */
export const meOperations = (deps: MeDeps): readonly Operation[] => [
  ...connectOperations(deps),
  ...accountOperations(deps),
  ...capabilityOperations(deps),
]

/** RFC 9728. The resource is the URL that the metadata's own path is made of; tokens for it name the audience `me/`. */
export const protectedResourceMetadata = (issuer: string) => ({
  resource: `${issuer}${ME_BASE.slice(1)}`,
  authorization_servers: [issuer],
  scopes_supported: MY_ACCOUNT_SCOPES,
  bearer_methods_supported: ['header'],
  resource_name: 'My Account API',
})

/** RFC 9457 with Auth0's members: SDKs read `type`, `title`, `detail` and `status` of every refusal. */
function serializeProblem({ status, code, message, faults, reason }: ApiRefusal) {
  return {
    type: `https://auth0.com/api-errors/A0E-${status}-${PROBLEM_NUMBERS[code] ?? '0001'}`,
    title: TITLES[code] ?? STATUS_NAMES[status] ?? 'Error',
    detail: message,
    status,
    code,
    ...(reason === undefined ? {} : { reason }),
    ...(faults.length === 0 ? {} : { validation_errors: faults.map(serializeFault) }),
  }
}

/** The one number that SDKs know. */
const PROBLEM_NUMBERS: Readonly<Record<string, string>> = { insufficient_scope: '0002' }
const TITLES: Readonly<Record<string, string>> = {
  insufficient_scope: 'Insufficient Scope',
  invalid_body: 'Invalid Request Payload',
  invalid_query_string: 'Invalid Query String',
}

const serializeFault = ({ pointer, detail, in: source }: ApiRefusal['faults'][number]) => ({
  detail,
  source,
  ...(pointer === '' ? {} : { pointer, field: pointer.replace(/^\//, '').replaceAll('/', '.') }),
})
