// Sessions of people in browsers. The protocol engine keeps them as artifacts of kind `Session`; this is the one place
// that starts, finds and ends them.
import { randomToken, sha256Hex } from '../crypto/hashing.ts'
import { acrOf } from '../domain/second-factor.ts'
import { isJsonObject, isString, type JsonObject, type JsonValue, stringsOf } from '../lib/json.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'
import type { Artifact } from '../storage/records.ts'
import type { Repositories, Storage } from '../storage/storage.ts'
import type { Device } from './device.ts'

export interface Session {
  readonly uid: string
  readonly userId: string
  /** `connectionId|subject` of the identity that authenticated last. */
  readonly identityKey: string | undefined
  readonly authenticatedAt: EpochSeconds
  readonly amr: readonly string[]
  readonly startedAt: EpochSeconds
  /** Undefined for a session of before this was kept. */
  readonly device: Device | undefined
  /** `sid` that each client's ID tokens carry. */
  readonly clientSids: readonly string[]
}

export interface SessionLimits {
  readonly idleSeconds: number
  readonly absoluteSeconds: number
}

export interface NewLogin {
  readonly userId: string
  readonly identityKey: string | undefined
  readonly amr: readonly string[]
  /** When they proved themselves, when it is not now: only the session's id is to change. */
  readonly authenticatedAt?: EpochSeconds | undefined
  /** Undefined: as it was. */
  readonly device?: Device | undefined
}

export interface Sessions {
  /** The live session that this cookie opens: its user is active and its identity still linked. */
  find(cookie: string | undefined): Promise<Session | undefined>
  /**
   * Signs a person in, in the transaction given. The session id is always new (T-LINK-11); the `uid` goes on when the
   * same user authenticates again, so that requests in other tabs survive.
   */
  start(tx: Repositories, login: NewLogin, previousCookie: string | undefined): Promise<{ cookie: string; uid: string }>
  /** Those of a user that are live, the one that began last first. */
  listOfUser(userId: string): Promise<readonly Session[]>
  /** Ends a session of this user by its `uid`. @returns false when the user has none of that name. */
  endOfUser(tx: Repositories, userId: string, uid: string): Promise<boolean>
  /** Ends the session; tokens that it led to live their own life, as at Auth0. */
  end(tx: Repositories, cookie: string): Promise<void>
}

export function createSessions(deps: { storage: Storage; clock: Clock; limits: () => SessionLimits }): Sessions {
  const { storage, clock, limits } = deps
  return {
    async find(cookie) {
      if (cookie === undefined) return undefined
      const artifact = await storage.artifacts.find('Session', sha256Hex(cookie))
      if (artifact === undefined || artifact.expiresAt <= clock()) return undefined
      return (await isLive(storage, artifact)) ? parseSession(artifact) : undefined
    },
    async start(tx, login, previousCookie) {
      const now = clock()
      const previous =
        previousCookie === undefined ? undefined : await tx.artifacts.find('Session', sha256Hex(previousCookie))
      const goesOn = previous?.userId === login.userId && previous.expiresAt > now ? previous : undefined
      if (previous !== undefined) await tx.artifacts.delete('Session', previous.idHash)
      const cookie = randomToken()
      const uid = goesOn?.uid ?? randomToken(16)
      const startedAt = goesOn?.createdAt ?? now
      const expiresAt = Math.min(now + limits().idleSeconds, startedAt + limits().absoluteSeconds)
      await tx.artifacts.put({
        kind: 'Session',
        idHash: sha256Hex(cookie),
        uid,
        grantId: undefined,
        userId: login.userId,
        clientId: undefined,
        payload: {
          ...authorizationsOf(goesOn),
          kind: 'Session',
          uid,
          accountId: login.userId,
          loginTs: login.authenticatedAt ?? now,
          amr: login.amr,
          ...acrMember(login.amr),
          iat: startedAt,
          exp: expiresAt,
          ...(login.identityKey === undefined ? {} : { identity: login.identityKey }),
          ...deviceMember(login.device ?? readDevice(goesOn?.payload.device)),
          ...(goesOn?.payload.session_metadata === undefined
            ? {}
            : { session_metadata: goesOn.payload.session_metadata }),
        },
        createdAt: startedAt,
        expiresAt,
        consumedAt: undefined,
        successorEnvelope: undefined,
        identityKey: login.identityKey,
      })
      return { cookie, uid }
    },
    async listOfUser(userId) {
      const artifacts = (await storage.artifacts.listOfUser('Session', userId)).filter(
        ({ expiresAt }) => expiresAt > clock(),
      )
      const live = await Promise.all(artifacts.map((artifact) => isLive(storage, artifact)))
      return artifacts
        .filter((_, at) => live[at])
        .flatMap((artifact) => parseSession(artifact) ?? [])
        .toSorted((one, other) => other.startedAt - one.startedAt)
    },
    async endOfUser(tx, userId, uid) {
      const artifact = await tx.artifacts.findByUid('Session', uid)
      if (artifact === undefined || artifact.userId !== userId) return false
      await tx.artifacts.delete('Session', artifact.idHash)
      return true
    },
    async end(tx, cookie) {
      await tx.artifacts.delete('Session', sha256Hex(cookie))
    },
  }
}

/** False when the session's user is blocked or gone, or the identity that it came in by was unlinked (T-LINK-14). */
export async function isLive(repositories: Repositories, session: Artifact): Promise<boolean> {
  if (session.userId === undefined) return true
  const user = await repositories.users.find(session.userId)
  if (user === undefined || user.blocked) return false
  if (session.identityKey === undefined) return true
  const { connectionId, subject } = parseIdentityKey(session.identityKey)
  const identity = await repositories.identities.find(connectionId, subject)
  return identity?.userId === session.userId
}

/** Splits at the first pipe: connection ids hold none, subjects may. */
export function parseIdentityKey(key: string): { connectionId: string; subject: string } {
  const cut = key.indexOf('|')
  return { connectionId: key.slice(0, cut), subject: key.slice(cut + 1) }
}

function parseSession(artifact: Artifact): Session | undefined {
  const { payload, userId, uid } = artifact
  if (userId === undefined || uid === undefined) return undefined
  return {
    uid,
    userId,
    identityKey: artifact.identityKey,
    authenticatedAt: typeof payload.loginTs === 'number' ? payload.loginTs : artifact.createdAt,
    amr: stringsOf(payload.amr),
    startedAt: artifact.createdAt,
    device: readDevice(payload.device),
    clientSids: clientSidsOf(payload),
  }
}

const acrMember = (amr: readonly string[]): JsonObject => {
  const acr = acrOf(amr)
  return acr === undefined ? {} : { acr }
}

const deviceMember = (device: Device | undefined): JsonObject =>
  device === undefined
    ? {}
    : {
        device: {
          ...(device.browser === undefined ? {} : { browser: device.browser }),
          ...(device.system === undefined ? {} : { system: device.system }),
        },
      }

function readDevice(value: JsonValue | undefined): Device | undefined {
  if (!isJsonObject(value)) return undefined
  const { browser, system } = value
  return { browser: isString(browser) ? browser : undefined, system: isString(system) ? system : undefined }
}

const authorizationsOf = (session: Artifact | undefined): JsonObject =>
  session?.payload.authorizations === undefined ? {} : { authorizations: session.payload.authorizations }

function clientSidsOf({ authorizations }: JsonObject): readonly string[] {
  if (!isJsonObject(authorizations)) return []
  return Object.values(authorizations)
    .map((entry) => (isJsonObject(entry) ? entry.sid : undefined))
    .filter(isString)
}
