// Sessions, refresh tokens and consents as the Management API shows them (auth0-wire.md §6.4).
import { z } from 'zod'
import type { RefreshTokenRules } from '../../domain/client.ts'
import { isJsonObject, isString, type JsonObject, stringsOf } from '../../lib/json.ts'
import { toIso } from '../../lib/time.ts'
import { resourceToAudience } from '../../oauth/audience.ts'
import { fromEngineScope, splitScope } from '../../oauth/scopes.ts'
import { jsonObject } from '../../protocol/fields.ts'
import type { Artifact } from '../../storage/records.ts'

const metadata = jsonObject()

export const sessionShape = z
  .object({
    id: z.string(),
    user_id: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
    authenticated_at: z.string(),
    idle_expires_at: z.string(),
    expires_at: z.string(),
    device: z.object({}).loose(),
    clients: z.array(z.object({ client_id: z.string() })),
    authentication: z.object({ methods: z.array(z.object({ name: z.string(), timestamp: z.string() })) }),
    session_metadata: metadata,
  })
  .loose()

/** @param absoluteSeconds of the settings that hold now. */
export function serializeSession(session: Artifact, absoluteSeconds: number): JsonObject {
  const { payload, createdAt } = session
  const begun = typeof payload.iat === 'number' ? payload.iat : createdAt
  const authenticatedAt = toIso(typeof payload.loginTs === 'number' ? payload.loginTs : createdAt)
  return {
    // The uid; the session's own id is a secret of its browser.
    id: session.uid ?? '',
    user_id: session.userId ?? '',
    created_at: toIso(createdAt),
    updated_at: authenticatedAt,
    authenticated_at: authenticatedAt,
    // A row is kept until the earlier of the two ends.
    idle_expires_at: toIso(session.expiresAt),
    expires_at: toIso(Math.max(begun + absoluteSeconds, session.expiresAt)),
    device: isJsonObject(payload.device) ? payload.device : {},
    clients: clientsOf(session).map((client_id) => ({ client_id })),
    authentication: { methods: stringsOf(payload.amr).map((name) => ({ name, timestamp: authenticatedAt })) },
    session_metadata: isJsonObject(payload.session_metadata) ? payload.session_metadata : {},
  }
}

const clientsOf = ({ payload: { authorizations } }: Artifact): readonly string[] =>
  isJsonObject(authorizations) ? Object.keys(authorizations) : []

export const refreshTokenShape = z
  .object({
    id: z.string(),
    user_id: z.string(),
    client_id: z.string(),
    created_at: z.string(),
    idle_expires_at: z.string().optional(),
    expires_at: z.string().optional(),
    session_id: z.string().nullable(),
    rotating: z.boolean(),
    resource_servers: z.array(z.object({ audience: z.string(), scopes: z.string() })),
    refresh_token_metadata: metadata,
  })
  .loose()

/** @param rules the client's; undefined when the client is gone, and its tokens with it. */
export function serializeRefreshToken(token: Artifact, rules: RefreshTokenRules | undefined): JsonObject {
  const { payload, expiresAt } = token
  const begun = typeof payload.iiat === 'number' ? payload.iiat : token.createdAt
  const { lifetimeSeconds, idleLifetimeSeconds } = rules ?? {}
  const scopes = isString(payload.scope) ? fromEngineScope(payload.scope) : ''
  return {
    // A hash: it names the token and opens nothing.
    id: token.idHash,
    user_id: token.userId ?? '',
    client_id: token.clientId ?? '',
    created_at: toIso(token.createdAt),
    // A row is kept until the earlier of the two ends; a token may have none.
    ...(idleLifetimeSeconds === undefined ? {} : { idle_expires_at: toIso(expiresAt) }),
    ...(lifetimeSeconds === undefined ? {} : { expires_at: toIso(Math.max(begun + lifetimeSeconds, expiresAt)) }),
    session_id: isString(payload.sessionUid) ? payload.sessionUid : null,
    rotating: rules?.rotating === true,
    resource_servers: resourcesOf(payload.resource).map((audience) => ({ audience, scopes })),
    refresh_token_metadata: isJsonObject(payload.refresh_token_metadata) ? payload.refresh_token_metadata : {},
  }
}

const resourcesOf = (resource: unknown): readonly string[] =>
  (isString(resource) ? [resource] : stringsOf(resource)).map(resourceToAudience)

export const grantShape = z.object({
  id: z.string(),
  clientID: z.string(),
  user_id: z.string(),
  audience: z.string(),
  scope: z.array(z.string()),
})

/** A grant without an API of its own is for who somebody is. */
export function serializeGrant(grant: Artifact, issuer: string): JsonObject {
  const { openid, resources } = grant.payload
  const byResource = isJsonObject(resources) ? Object.entries(resources) : []
  const [first] = byResource
  const given = [isJsonObject(openid) ? openid.scope : undefined, ...byResource.map(([, scope]) => scope)]
  const scopes = given.flatMap((scope) => (isString(scope) ? splitScope(fromEngineScope(scope)) : []))
  return {
    id: grant.idHash,
    clientID: grant.clientId ?? '',
    user_id: grant.userId ?? '',
    audience: first === undefined ? `${issuer}userinfo` : resourceToAudience(first[0]),
    scope: [...new Set(scopes)],
  }
}
