// On whose behalf: the subject token of an exchange, looked up first and judged once the client is known.
import { sha256Hex } from '../crypto/hashing.ts'
import { type ParsedJwt, parseJwt } from '../crypto/jwt.ts'
import type { Client } from '../domain/client.ts'
import { isJsonObject, isString } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { ExchangeSubject, ExchangeSubjectKey } from '../storage/records.ts'
import type { AccessTokens, VerifiedAccess } from './access-tokens.ts'
import { ExchangeRefusal } from './exchange-refusal.ts'
import { ACCESS_TOKEN_TYPE, type Form, JWT_TYPE, REFRESH_TOKEN_TYPE } from './exchange-request.ts'

export interface OpenedSubject {
  /** What to look up. */
  readonly key: ExchangeSubjectKey
  /** A genuine access token of ours; undefined for a refresh token, and for everything else. */
  readonly access: VerifiedAccess | undefined
  /** What a worker says, unproven. */
  readonly worker?: ParsedJwt
}

const MAX_TOKEN_LENGTH = 16_384
const MAX_USER_ID_LENGTH = 300
const NOTHING: OpenedSubject = { key: { kind: 'none' }, access: undefined }

/** Opens the token as what the request says that it is. Nothing is refused yet: the client is not known. */
export async function openSubject(form: Form, accessTokens: Pick<AccessTokens, 'open'>): Promise<OpenedSubject> {
  const [token, type] = [form.get('subject_token'), form.get('subject_token_type')]
  if (token === undefined || token.length > MAX_TOKEN_LENGTH) return NOTHING
  if (type === REFRESH_TOKEN_TYPE)
    return { key: { kind: 'refresh_token', tokenHash: sha256Hex(token) }, access: undefined }
  if (type === JWT_TYPE) return openWorkerToken(token)
  if (type !== ACCESS_TOKEN_TYPE) return NOTHING
  const access = await accessTokens.open(token)
  // A machine's token speaks for no user (T-XCH-02).
  if (access?.userId === undefined || access.grantId === undefined) return NOTHING
  const { clientId, userId, grantId, grantedTo = clientId } = access
  return { key: { kind: 'access_token', clientId: grantedTo, userId, grantId }, access }
}

function openWorkerToken(token: string): OpenedSubject {
  const worker = parseJwt(token)
  const userId = worker?.claims.sub
  if (worker === undefined || !isString(userId) || userId.length > MAX_USER_ID_LENGTH) return NOTHING
  return { key: { kind: 'user', userId }, access: undefined, worker }
}

export interface LiveSubject {
  readonly userId: string
  /** The client that the token was issued to: for an access token often another than the one that exchanges it. */
  readonly issuedTo: string
  /** Who acts, as the token says (RFC 8693 §4.1). */
  readonly actor: string | undefined
}

/**
 * @param found the rows behind it, as they are now.
 * @throws {ExchangeRefusal} `subject_token_invalid`; which check failed is nobody's business outside.
 */
export function requireLiveSubject(
  opened: OpenedSubject,
  found: ExchangeSubject | undefined,
  client: Client,
  now: EpochSeconds,
): LiveSubject {
  const { access } = opened
  const word = WORDS[opened.key.kind]
  if (found === undefined || !isLive(found, now) || !mayBring(client, found, access, now)) {
    const description = `Unknown or invalid ${word} token.`
    throw new ExchangeRefusal('subject_token_invalid', { description })
  }
  return { userId: found.userId, issuedTo: found.clientId, actor: actorOf(access) }
}

const WORDS = { refresh_token: 'refresh', access_token: 'access', user: 'subject', none: 'access' } as const

/** A token that is bound to a key is worth nothing without its proof, and none is taken here yet. */
const isLive = (found: ExchangeSubject, now: EpochSeconds): boolean =>
  found.expiresAt > now && found.consumedAt === undefined && !found.userBlocked && found.jkt === undefined

/** A refresh token is for the client that holds it; an access token for the API that the client is. */
function mayBring(
  client: Client,
  found: ExchangeSubject,
  access: VerifiedAccess | undefined,
  now: EpochSeconds,
): boolean {
  if (access === undefined) return found.clientId === client.clientId
  const { resourceServerIdentifier: api } = client
  // Opened a moment ago, perhaps: a refresh at the provider may have taken its time since.
  if (typeof access.claims.exp === 'number' && access.claims.exp <= now) return false
  return access.jkt === undefined && api !== undefined && access.audiences.includes(api)
}

function actorOf(access: VerifiedAccess | undefined): string | undefined {
  const act = access?.claims.act
  return isJsonObject(act) && isString(act.sub) ? act.sub : undefined
}
