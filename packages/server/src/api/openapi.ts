// The OpenAPI document of both interfaces, from the schemas that validate their requests.
import { OpenAPIHono } from '@hono/zod-openapi'
import { MANAGEMENT_BASE } from './management/app.ts'
import { ME_BASE } from './me/app.ts'
import type { Operation } from './operation.ts'

/** OpenAPI 3.1. */
export function openApiDocument(
  issuer: string,
  { management, me }: { readonly management: readonly Operation[]; readonly me: readonly Operation[] },
) {
  const { openAPIRegistry, getOpenAPI31Document } = new OpenAPIHono()
  const scopes = new Set([...management, ...me].flatMap((operation) => operation.scopes))
  openAPIRegistry.registerComponent('securitySchemes', 'oauth2', {
    type: 'oauth2',
    flows: {
      clientCredentials: {
        tokenUrl: `${issuer}oauth/token`,
        scopes: Object.fromEntries([...scopes].sort().map((scope) => [scope, ''])),
      },
    },
  })
  for (const operation of management) operation.describe(openAPIRegistry, MANAGEMENT_BASE)
  for (const operation of me) operation.describe(openAPIRegistry, ME_BASE)
  return getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Tenon', version: '1', description: 'Management API and My Account API.' },
    servers: [{ url: issuer.replace(/\/$/, '') }],
  })
}
