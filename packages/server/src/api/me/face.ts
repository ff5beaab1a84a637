// What every request to the My Account API goes through, whoever answers it.
import { MY_ACCOUNT_API_PATH } from '../../protocol/built-in.ts'
import { ApiRefusal } from '../refusal.ts'
import { refusalOf } from '../refusal-of.ts'
import type { Interface } from '../serve.ts'
import type { MeDeps } from './deps.ts'
import { type MeCaller, userOf } from './me-caller.ts'
import { serializeProblem } from './problem.ts'

export const ME_BASE = '/me/v1'
export const ME_METADATA_PATH = `/.well-known/oauth-protected-resource${ME_BASE}`

export function meFace(deps: MeDeps): Omit<Interface, 'operations'> {
  const { issuer, accessTokens, possession, limit, origins, log } = deps
  return {
    base: ME_BASE,
    audience: `${issuer}${MY_ACCOUNT_API_PATH}`,
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
  }
}

/** What the person stopped gets nothing here either, as soon as they did (vault.md §5). */
async function requireNotStopped({ storage }: MeDeps, { userId, clientId }: MeCaller): Promise<void> {
  if ((await storage.agentStops.find(userId, clientId)) === undefined) return
  throw new ApiRefusal(403, 'policy_denied', 'The user has stopped this client.', { reason: 'agent_stopped' })
}
