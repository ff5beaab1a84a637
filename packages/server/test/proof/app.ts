// The app and its backend, with tokens as the protocol engine would have given them: really signed, under a grant that
// stands in the database.
import type { Hono } from 'hono'
import { createJwtSigner } from '../../src/crypto/jwt.ts'
import { generateSigningKey } from '../../src/crypto/signing-keys.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import type { SigningKeySet } from '../../src/oauth/signing-keys.ts'
import { MANAGEMENT_SCOPES } from '../../src/protocol/api-scopes.ts'
import type { Storage } from '../../src/storage/storage.ts'

export const ISSUER = 'https://tenon.test/'
export const NOW = 1_800_000_000
const AUDIENCE = `${ISSUER}api/v2/`
const APP = 'spa'
const BACKEND = 'm2m'
const HOUR_SECONDS = 3600

export type App = Awaited<ReturnType<typeof createApp>>

export async function createApp(storage: Storage) {
  const { kid, privateJwk, publicJwk } = await generateSigningKey()
  const signer = createJwtSigner({ kid, privateJwk })
  const sign = (claims: JsonObject) => signer.sign({ iss: ISSUER, iat: NOW, exp: NOW + HOUR_SECONDS, ...claims })
  const keys: SigningKeySet = { version: '1', privateJwks: [privateJwk], publicKeys: [{ kid, publicJwk }], records: [] }
  return {
    keys,
    openGrant: (userId: string, grantId: string) =>
      storage.transaction((tx) => tx.artifacts.put(grantRow(userId, grantId))),
    /** Lives as long as the grant. */
    accessToken: (userId: string, grantId: string) =>
      sign({
        sub: userId,
        azp: APP,
        aud: AUDIENCE,
        scope: 'update:current_user_identities delete:current_user_identities',
        jti: `${grantId}.1`,
      }),
    idToken: (userId: string, authenticatedAt: number) => sign({ sub: userId, aud: APP, auth_time: authenticatedAt }),
    backendToken: () =>
      sign({
        sub: `${BACKEND}@clients`,
        azp: BACKEND,
        aud: AUDIENCE,
        scope: MANAGEMENT_SCOPES.join(' '),
        gty: 'client-credentials',
        jti: 'backend',
      }),
  }
}

/** Calls the Management API. @returns the status. */
export async function manage(
  api: Hono,
  { token, method, path, body }: { token: string; method: string; path: string; body?: JsonObject | undefined },
): Promise<number> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const response = await api.request(`${AUDIENCE.slice(0, -1)}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...type },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return response.status
}

const grantRow = (userId: string, grantId: string) =>
  ({
    kind: 'Grant',
    idHash: grantId,
    uid: undefined,
    grantId,
    userId,
    clientId: APP,
    payload: { accountId: userId, clientId: APP },
    createdAt: NOW,
    expiresAt: NOW + 1_000_000,
    consumedAt: undefined,
    successorEnvelope: undefined,
    identityKey: undefined,
  }) as const
