// Link and unlink in the compatible form (auth0-wire.md §3.2, §3.3).

import { z } from 'zod'
import { findNamedIdentity } from '../../accounts/find-identity.ts'
import { mergeUsers } from '../../accounts/link.ts'
import { identityAddedAt } from '../../accounts/link-times.ts'
import { transact } from '../../accounts/transact.ts'
import { unlinkIdentity } from '../../accounts/unlink.ts'
import { sha256Hex } from '../../crypto/hashing.ts'
import { Conflict, NotFound } from '../../domain/errors.ts'
import type { Identity } from '../../domain/user.ts'
import { isString, type JsonObject } from '../../lib/json.ts'
import type { Repositories } from '../../storage/storage.ts'
import { type Caller, type Operation, operation } from '../operation.ts'
import { ApiRefusal, insufficientScope, invalidBody } from '../refusal.ts'
import { requireOwn } from './caller.ts'
import type { ManagementDeps } from './deps.ts'
import { inexistentUser } from './inexistent-user.ts'
import { viewIdentities } from './user-view.ts'
import { userIdParams } from './users.ts'

const SCOPES = ['update:users', 'update:current_user_identities'] as const
/** A person who linked a moment ago; older ID tokens are no proof that they are here (T-LINK-06). */
const MAX_ID_TOKEN_AGE_SECONDS = 600

const linkBody = z.strictObject({
  provider: z.string().min(1).max(128).optional(),
  user_id: z.union([z.string().min(1).max(512), z.int().nonnegative().transform(String)]).optional(),
  connection_id: z.string().min(1).max(64).optional(),
  link_with: z.string().min(1).max(16_384).optional(),
})
type LinkBody = z.infer<typeof linkBody>
const identityList = z.array(
  z.object({ connection: z.string(), provider: z.string(), user_id: z.string(), isSocial: z.boolean() }).loose(),
)

export function identityOperations(deps: ManagementDeps): readonly Operation[] {
  return [link(deps), unlink(deps)]
}

const link = (deps: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/users/{id}/identities',
      summary: 'Link another user into this one',
      tag: 'users',
      scopes: SCOPES,
      params: userIdParams,
      body: linkBody,
      accepts: ['json', 'form'],
      answers: {
        201: { description: 'All identities of the user', schema: identityList },
        404: { description: 'inexistent_user' },
        409: { description: 'identity_conflict' },
      },
    },
    async ({ caller, params, body }) => {
      requireOwn(caller, params.id)
      const { storage, vault, keyring, notify, linking, clock } = deps
      const proof = proofOf(deps, caller, body)
      const linked = await transact(storage, async (tx): Promise<Linked> => {
        if ((await tx.users.find(params.id)) === undefined) throw inexistentUser()
        const at = clock()
        const { secondaryUserId, rule, evidence, justAdded, wasThere } = await proof(tx, at)
        // Our own page has done already what the app asks for (contract, small certainties).
        if (secondaryUserId === params.id && (await justAdded?.()) === true)
          return { identities: await tx.identities.listOfUser(params.id), retired: undefined }
        const { identities } = await mergeUsers(
          tx,
          { vault, keyring, notify },
          {
            primaryUserId: params.id,
            secondaryUserId,
            policy: linking(),
            rule,
            proof: evidence,
            at,
            clientId: caller.clientId,
            actor: caller.userId,
          },
        ).catch(async (cause: unknown) => {
          const lost = wasThere === true && cause instanceof NotFound && (await tx.users.find(params.id)) !== undefined
          if (lost) throw new Conflict('identity_conflict', 'Specified identity was just linked elsewhere.', { cause })
          throw cause
        })
        return { identities, retired: secondaryUserId }
      })
      if (linked.retired !== undefined) vault.forgetUser(linked.retired)
      return { status: 201, body: await viewIdentities(storage, linked.identities) }
    },
  )

interface Linked {
  readonly identities: readonly Identity[]
  readonly retired: string | undefined
}

const unlink = ({ storage, vault, clock }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/users/{id}/identities/{provider}/{user_id}',
      summary: 'Make an identity a user of its own again',
      tag: 'users',
      scopes: [...SCOPES, 'delete:current_user_identities'],
      params: userIdParams.extend({ provider: z.string().min(1).max(128), user_id: z.string().min(1).max(512) }),
      answers: {
        200: { description: 'The identities that remain', schema: identityList },
        404: { description: 'inexistent_user' },
      },
    },
    async ({ caller, params }) => {
      requireOwn(caller, params.id)
      const { identities } = await transact(storage, (tx) =>
        unlinkIdentity(tx, vault, {
          userId: params.id,
          provider: params.provider,
          identityUserId: params.user_id,
          at: clock(),
          clientId: caller.clientId,
          actor: caller.userId,
        }),
      )
      return { status: 200, body: await viewIdentities(storage, identities) }
    },
  )

interface ProvenSecondary {
  readonly secondaryUserId: string
  readonly rule: string
  readonly evidence: JsonObject
  /** It was found in this transaction, without a lock: when it is gone by then, another link was faster. */
  readonly wasThere?: true
  /** Whether the identity that proved it was added to its user a moment ago. */
  readonly justAdded?: () => Promise<boolean>
}
type Proof = (tx: Repositories, at: number) => Promise<ProvenSecondary>

/** The two forms exclude each other; a user's own token may use the one that proves the other account. */
function proofOf(deps: ManagementDeps, caller: Caller, body: LinkBody): Proof {
  const { link_with, provider, user_id, connection_id } = body
  if (link_with !== undefined) {
    if (provider !== undefined || user_id !== undefined || connection_id !== undefined)
      throw invalidBody(
        'Payload validation error: link_with excludes provider, user_id and connection_id.',
        '/link_with',
      )
    return proofByIdToken(deps, caller, link_with)
  }
  if (provider === undefined || user_id === undefined)
    throw invalidBody("Payload validation error: 'Missing required property: provider and user_id, or link_with'.")
  if (caller.userId !== undefined) throw insufficientScope(['update:users'])
  return (tx) => namedSecondary(tx, { provider, userId: user_id, connectionId: connection_id })
}

async function namedSecondary(
  tx: Repositories,
  name: { readonly provider: string; readonly userId: string; readonly connectionId: string | undefined },
): Promise<ProvenSecondary> {
  const evidence = { by: 'scope', scope: 'update:users' }
  const known = await findNamedIdentity(tx, name)
  if (known !== undefined) {
    if (known.identity.position !== 0) throw new Conflict('identity_conflict', 'Specified identity already exists.')
    return { secondaryUserId: known.identity.userId, rule: 'management', evidence, wasThere: true }
  }
  const { total } = await tx.connections.list({ strategies: [name.provider], offset: 0, limit: 1 })
  if (total === 0) throw invalidBody("Payload validation error: 'a known provider' on property /provider.", '/provider')
  const prefix = `${name.provider}|`
  const whole = name.userId.startsWith(prefix) ? name.userId : prefix + name.userId
  if ((await tx.users.find(whole)) === undefined) throw inexistentUser()
  return { secondaryUserId: whole, rule: 'management', evidence, wasThere: true }
}

/**
 * A fresh ID token of ours for the calling client proves that its subject was here a moment ago. It links once: a token
 * that was seen is refused, whatever became of the link since (T-LINK-06).
 */
function proofByIdToken({ accessTokens, clock, linking }: ManagementDeps, caller: Caller, token: string): Proof {
  const claims = accessTokens.verifyIdToken(token)
  const { sub, aud, iat, exp, sid, auth_time: authTime = iat } = claims ?? {}
  if (!isString(sub) || typeof iat !== 'number' || typeof exp !== 'number') throw invalidIdToken()
  if (aud !== caller.clientId)
    throw new ApiRefusal(403, 'operation_not_supported', 'The token of link_with was issued to another client.')
  if (iat > clock() || iat + MAX_ID_TOKEN_AGE_SECONDS < clock()) throw invalidIdToken()
  // A refresh or a silent sign-in makes a fresh token of an old proof.
  if (typeof authTime !== 'number' || authTime + linking().reauthenticationSeconds < clock()) throw invalidIdToken()
  return async (tx, at) => {
    const isFirst = await tx.replays.insertOnce({ idHash: sha256Hex(`link_with ${token}`), expiresAt: exp })
    if (!isFirst) throw new Conflict('identity_conflict', 'The token of link_with was used before.')
    return {
      secondaryUserId: sub,
      rule: 'link_with',
      evidence: { by: 'id_token', issued_at: iat, client_id: caller.clientId },
      justAdded: async () => {
        const addedAt = isString(sid)
          ? await identityAddedAt(tx, { userId: sub, clientId: caller.clientId, sid })
          : undefined
        return addedAt !== undefined && addedAt + MAX_ID_TOKEN_AGE_SECONDS >= at
      },
    }
  }
}

const invalidIdToken = () =>
  invalidBody("Payload validation error: 'a valid, fresh ID token' on property /link_with.", '/link_with')
