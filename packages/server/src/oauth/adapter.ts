// The engine's storage. Ids that a holder presents are stored as hashes, never as they are; consuming is atomic.
import type { Adapter, AdapterPayload } from 'oidc-provider'
import { sha256Hex } from '../crypto/hashing.ts'
import { parseClient } from '../domain/client.ts'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'
import type { Clock } from '../lib/time.ts'
import { isLive } from '../sessions/sessions.ts'
import type { Artifact, ArtifactKind } from '../storage/records.ts'
import type { Repositories, Storage } from '../storage/storage.ts'
import { engineClient } from './clients.ts'
import type { EngineLibrary } from './engine.ts'
import { FOREVER_SECONDS } from './lifetimes.ts'

export interface AdapterDeps {
  readonly library: EngineLibrary
  /** Puts an agent's question to a person, in the place of a plain write. @throws why it may not be put. */
  readonly ask: (artifact: Artifact, authReqId: string) => Promise<void>
  readonly storage: Storage
  readonly clock: Clock
}

/** Makes the engine's adapter factory. */
export function createAdapterFactory(deps: AdapterDeps): (model: string) => Adapter {
  return (model) => {
    if (model === 'Client') return clientAdapter(deps)
    if (model === 'ReplayDetection') return replayAdapter(deps)
    return artifactAdapter(deps, model as ArtifactKind)
  }
}

function clientAdapter({ storage, clock }: AdapterDeps): Adapter {
  return {
    async find(clientId) {
      const record = await storage.clients.find(clientId)
      // The engine's own type lists every member that a client may have; ours holds those that are set.
      return record === undefined ? undefined : (engineClient(record, clock()) as AdapterPayload)
    },
    upsert: refuse,
    ...FOUND_BY_ID_ALONE,
  }
}

/** The engine looks first and writes then; only the write tells which of two equal proofs came first. */
function replayAdapter({ library, storage, clock }: AdapterDeps): Adapter {
  return {
    async find(id) {
      const isKnown = await storage.replays.has(sha256Hex(id), clock())
      return isKnown ? { jti: id } : undefined
    },
    async upsert(id, _payload, expiresIn) {
      const mark = { idHash: sha256Hex(id), expiresAt: clock() + (expiresIn ?? FOREVER_SECONDS) }
      const isFirst = await storage.transaction((tx) => tx.replays.insertOnce(mark))
      if (!isFirst) throw new library.errors.InvalidGrant('replay detected')
    },
    ...FOUND_BY_ID_ALONE,
  }
}

async function refuse(): Promise<never> {
  throw new Error('the engine has no business with this')
}

const FOUND_BY_ID_ALONE = {
  destroy: refuse,
  consume: refuse,
  revokeByGrantId: refuse,
  findByUid: async () => undefined,
  findByUserCode: async () => undefined,
}

function artifactAdapter({ library, storage, clock, ask }: AdapterDeps, kind: ArtifactKind): Adapter {
  const { errors } = library
  const hashOf = (id: string) => (kind === 'Grant' ? id : sha256Hex(id))
  const open = async (artifact: Artifact | undefined, id: string | undefined): Promise<AdapterPayload | undefined> => {
    // The engine forgives some seconds past the end; ours is exact, as every other reader of these rows is.
    if (artifact === undefined || artifact.expiresAt <= clock()) return undefined
    if (kind === 'Session' && !(await isLive(storage, artifact))) return undefined
    return {
      ...artifact.payload,
      ...(id === undefined ? {} : { jti: id }),
      ...(artifact.consumedAt === undefined ? {} : { consumed: artifact.consumedAt }),
    } as AdapterPayload
  }
  return {
    find: async (id) => open(await storage.artifacts.find(kind, hashOf(id)), id),
    // Found by uid, a session's own id stays unknown: nothing may be written back under it.
    findByUid: async (uid) => open(await storage.artifacts.findByUid(kind, uid), undefined),
    findByUserCode: async () => undefined,
    async upsert(id, payload, expiresIn) {
      const artifact = toArtifact(kind, hashOf(id), payload, clock(), expiresIn ?? FOREVER_SECONDS)
      if (kind === 'BackchannelAuthenticationRequest') return ask(artifact, id)
      await storage.transaction(async (tx) => {
        if (kind === 'RefreshToken') return putRefreshToken(tx, artifact)
        return tx.artifacts.put(artifact)
      })
    },
    async consume(id) {
      const won = await storage.transaction(async (tx) => {
        if (await tx.artifacts.consume(kind, hashOf(id), clock())) return true
        if (kind === 'AuthorizationCode') await endIssuedBy(tx, hashOf(id))
        return false
      })
      if (!won) throw new errors.InvalidGrant('already consumed')
    },
    destroy: (id) => storage.transaction((tx) => tx.artifacts.delete(kind, hashOf(id))),
    revokeByGrantId: (grantId) => storage.transaction((tx) => tx.artifacts.deleteByGrant(grantId)),
  }
}

/** Auth0's bound (auth0-wire.md §2.5): whoever signs in again and again does not pile up keys to their accounts. */
const MAX_REFRESH_TOKENS = 200

/** Stores it; past the bound for this user and client the oldest end. */
async function putRefreshToken(tx: Repositories, token: Artifact): Promise<void> {
  await tx.artifacts.put(token)
  const { userId, clientId, createdAt: at } = token
  if (userId === undefined || clientId === undefined) return
  const displaced = await tx.artifacts.listRefreshTokensBeyond({ userId, clientId }, MAX_REFRESH_TOKENS)
  if (displaced.length === 0) return
  const client = await tx.clients.find(clientId)
  // A sign-in of the tenant's own clients has a grant of its own; of others many share what was consented to.
  const ownGrants = client !== undefined && parseClient(client).firstParty
  for (const { idHash, grantId } of displaced) {
    await tx.artifacts.delete('RefreshToken', idHash)
    if (ownGrants && grantId !== undefined && grantId !== token.grantId) await tx.artifacts.deleteByGrant(grantId)
  }
  await tx.events.append({
    type: 'refresh_token.displaced',
    at,
    outcome: 'ok',
    userId,
    clientId,
    data: { tokens: displaced.length },
  })
}

/**
 * A code that comes a second time ends what the first one issued (RFC 6749 §4.1.2). The engine sees to that when it finds
 * the code consumed; of two that come at once, only the write tells. What the winner stores after this is dead as well:
 * every door asks for the grant.
 */
async function endIssuedBy({ artifacts }: Repositories, codeHash: string): Promise<void> {
  const code = await artifacts.find('AuthorizationCode', codeHash)
  if (code?.grantId !== undefined) await artifacts.deleteByGrant(code.grantId)
}

/** A client that polls too late hears why it gets nothing, for so long. */
const LINGER_SECONDS = 600
const LINGERING: ReadonlySet<ArtifactKind> = new Set(['BackchannelAuthenticationRequest', 'DeviceCode'])

export function toArtifact(
  kind: ArtifactKind,
  idHash: string,
  payload: AdapterPayload,
  now: number,
  expiresIn: number,
): Artifact {
  // The engine hands over plain JSON.
  const stored = withoutIds(kind, payload as unknown as JsonObject)
  const text = (value: unknown) => (isString(value) ? value : undefined)
  return {
    kind,
    idHash,
    // A device code is found by what the person types.
    uid: text(kind === 'DeviceCode' ? stored.userCode : stored.uid),
    grantId: text(stored.grantId),
    userId: text(stored.accountId),
    clientId: text(stored.clientId),
    payload: stored,
    createdAt: typeof stored.iat === 'number' ? stored.iat : now,
    expiresAt: now + expiresIn + (LINGERING.has(kind) ? LINGER_SECONDS : 0),
    consumedAt: undefined,
    successorEnvelope: undefined,
    identityKey: text(stored.identity),
  }
}

/** What opens a door must not stand in the row: the id itself, and in an interaction the session's and any token. */
function withoutIds(kind: ArtifactKind, payload: JsonObject): JsonObject {
  const { jti, consumed, ...rest } = payload
  const kept = JSON.parse(JSON.stringify(rest)) as JsonObject
  if (LINGERING.has(kind) && isJsonObject(kept.params))
    return { ...kept, params: without(kept.params, 'id_token_hint') }
  return kind === 'Interaction' ? withoutSecrets(kept) : kept
}

/** The address to return to holds the id; the hint was judged before the interaction began and is not read again. */
function withoutSecrets({ returnTo, ...interaction }: JsonObject): JsonObject {
  const { params, prompt, session } = interaction
  return {
    ...interaction,
    ...(isJsonObject(params) ? { params: without(params, 'id_token_hint') } : {}),
    ...(isJsonObject(prompt) && isJsonObject(prompt.details)
      ? { prompt: { ...prompt, details: without(prompt.details, 'id_token_hint') } }
      : {}),
    ...(isJsonObject(session) ? { session: without(session, 'cookie') } : {}),
  }
}

function without(object: JsonObject, name: string): JsonObject {
  const { [name]: _, ...rest } = object
  return rest
}
