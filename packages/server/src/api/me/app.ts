// The My Account API (auth0-wire.md §3.5).
import { Hono } from 'hono'
import { MY_ACCOUNT_SCOPES } from '../../protocol/api-scopes.ts'
import type { Operation } from '../operation.ts'
import { serveInterface } from '../serve.ts'
import { accountOperations } from './accounts.ts'
import { authenticationMethodOperations } from './authentication-methods.ts'
import { capabilityOperations } from './capabilities.ts'
import { connectOperations } from './connect.ts'
import type { MethodDeps } from './deps.ts'
import { ME_BASE, ME_METADATA_PATH, meFace } from './face.ts'

/** Everything below `/me/v1`, and its metadata; mount it at the root. */
export function createMeApi(deps: MethodDeps): Hono {
  const { issuer } = deps
  const app = new Hono()
  app.get(ME_METADATA_PATH, (context) => {
    context.header('access-control-allow-origin', '*')
    return context.json(protectedResourceMetadata(issuer))
  })
  return app.route('/', serveInterface({ ...meFace(deps), operations: meOperations(deps) }))
}

/** For the OpenAPI document as well. */
export const meOperations = (deps: MethodDeps): readonly Operation[] => [
  ...connectOperations(deps),
  ...accountOperations(deps),
  ...authenticationMethodOperations(deps),
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
