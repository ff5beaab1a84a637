// Our access tokens, at the doors where they are shown: user-info, My Account API, Management API, exchange.

import { sha256Hex } from '../crypto/hashing.ts'
import { createJwtVerifier } from '../crypto/jwt.ts'
import { SIGNING_ALGORITHMS } from '../domain/client.ts'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'
import type { Clock } from '../lib/time.ts'
import type { Storage } from '../storage/storage.ts'
import { actorsOf, firstHolder } from './actors.ts'
import { fromEngineScope, splitScope } from './scopes.ts'
import type { SigningKeySet } from './signing-keys.ts'
import { grantIdOf } from './token-format.ts'

export interface VerifiedAccess {
  readonly clientId: string
  /** Undefined for a machine's token (client credentials). */
  readonly userId: string | undefined
  readonly scopes: ReadonlySet<string>
  readonly audiences: readonly string[]
  readonly grantId: string | undefined
  /** Whose grant it is, when that is another client: the token was handed on (RFC 8693 §4.1). */
  readonly grantedTo?: string
  /** Thumbprint of the key that it is bound to (RFC 9449 §6). */
  readonly jkt: string | undefined
  readonly claims: JsonObject
}

export interface AccessTokens {
  /**
   * What a token says, when it is genuine and everything that it hangs on lives now: user active, grant there, client
   * there. Undefined otherwise; why is nobody's business outside.
   */
  verify(token: string): Promise<VerifiedAccess | undefined>
  /** As `verify`, but what it hangs on is the caller's to look up: the client, the user and the grant that it names. */
  open(token: string): Promise<VerifiedAccess | undefined>
  /** An ID token of ours, by signature, issuer and times; what it may be used for is the caller's to judge. */
  verifyIdToken(token: string, options?: { readonly allowExpired?: boolean }): JsonObject | undefined
}

export interface AccessTokensDeps {
  readonly storage: Storage
  readonly clock: Clock
  readonly issuer: string
  readonly keys: () => SigningKeySet
}

const OPAQUE = /^[\w-]{43}$/

export function createAccessTokens(deps: AccessTokensDeps): AccessTokens {
  const { storage, clock, issuer, keys } = deps
  const rules = { keys: () => keys().publicKeys, types: ['jwt'], algorithms: SIGNING_ALGORITHMS }
  const verifyJwt = createJwtVerifier({ ...rules, clock })
  // A hint for a logout may have expired long ago; its signature still says for whom it was.
  const verifyOld = createJwtVerifier({ ...rules, clock: () => 0 })
  const open = async (token: string) => {
    const access = OPAQUE.test(token) ? await openOpaque(deps, token) : openJwt(verifyJwt, issuer, token)
    return access?.claims.act === undefined ? access : handedOn(storage, access)
  }
  return {
    open,
    async verify(token) {
      const access = await open(token)
      if (access === undefined) return undefined
      return (await isAlive(storage, access)) ? access : undefined
    },
    verifyIdToken(token, options) {
      const result = (options?.allowExpired === true ? verifyOld : verifyJwt)(token)
      if (result.kind !== 'verified' || result.claims.iss !== issuer) return undefined
      // An access token always carries `azp`, and a scope unless it has none; an ID token for one client carries neither.
      const { scope, azp, aud } = result.claims
      return scope === undefined && azp === undefined && isString(aud) ? result.claims : undefined
    },
  }
}

function openJwt(
  verifyJwt: ReturnType<typeof createJwtVerifier>,
  issuer: string,
  token: string,
): VerifiedAccess | undefined {
  const result = verifyJwt(token)
  if (result.kind !== 'verified') return undefined
  const { iss, sub, aud, azp, scope, cnf, gty } = result.claims
  if (iss !== issuer || !isString(sub) || !isString(azp)) return undefined
  const audiences = Array.isArray(aud) ? aud.filter(isString) : isString(aud) ? [aud] : []
  // An ID token's audience is a client; an access token of ours always says for which API it is (T-AS-07).
  if (audiences.length === 0 || audiences.includes(azp)) return undefined
  const grantId = grantIdOf(result.claims)
  const machine = gty === 'client-credentials'
  if (!machine && grantId === undefined) return undefined
  return {
    clientId: azp,
    userId: machine ? undefined : sub,
    scopes: new Set(splitScope(isString(scope) ? scope : undefined)),
    audiences,
    grantId,
    jkt: isJsonObject(cnf) && isString(cnf.jkt) ? cnf.jkt : undefined,
    claims: result.claims,
  }
}

async function openOpaque(
  { storage, clock, issuer }: AccessTokensDeps,
  token: string,
): Promise<VerifiedAccess | undefined> {
  const artifact = await storage.artifacts.find('AccessToken', sha256Hex(token))
  if (artifact === undefined || artifact.expiresAt <= clock()) return undefined
  const { payload, clientId, userId, grantId } = artifact
  if (clientId === undefined || userId === undefined || grantId === undefined) return undefined
  return {
    clientId,
    userId,
    scopes: new Set(splitScope(isString(payload.scope) ? fromEngineScope(payload.scope) : undefined)),
    audiences: [`${issuer}userinfo`],
    grantId,
    jkt: isString(payload.jkt) ? payload.jkt : undefined,
    claims: payload,
  }
}

/** A token that went from one client to another is as good as every hand that it went through. */
async function handedOn(storage: Storage, access: VerifiedAccess): Promise<VerifiedAccess | undefined> {
  const { claims, userId, grantId } = access
  const actors = actorsOf(claims)
  if (actors === undefined || userId === undefined || grantId === undefined) return undefined
  const holder = await firstHolder(storage, { userId, grantId, actors })
  return holder === undefined ? undefined : { ...access, grantedTo: holder }
}

async function isAlive(storage: Storage, access: VerifiedAccess): Promise<boolean> {
  if ((await storage.clients.find(access.clientId)) === undefined) return false
  if (access.userId === undefined) return true
  const user = await storage.users.find(access.userId)
  if (user === undefined || user.blocked) return false
  const grant = access.grantId === undefined ? undefined : await storage.artifacts.find('Grant', access.grantId)
  return grant?.userId === access.userId
}
