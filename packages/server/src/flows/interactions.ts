// What one browser is in the middle of. The engine makes an interaction for each authorization request that needs the
// person; pages of our own make local ones. Both are rows of one kind, bound to the browser that started them.
import { randomToken, sha256Hex } from '../crypto/hashing.ts'
import { isJsonObject, isString, type JsonObject, type JsonValue, stringsOf } from '../lib/json.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'
import type { Artifact } from '../storage/records.ts'
import type { Repositories, Storage } from '../storage/storage.ts'
import type { BrowserRequest } from './browser-request.ts'
import { FlowError } from './flow-error.ts'

export interface Interaction {
  /** Opaque id, in URLs and forms as `state`. */
  readonly uid: string
  readonly hash: string
  /** Ours, not the engine's: ends at `returnTo`. */
  readonly local: LocalPurpose | undefined
  readonly returnTo: string
  /** Parameters of the authorization request. */
  readonly params: JsonObject
  readonly prompt: { readonly name: string; readonly reasons: readonly string[] }
  readonly artifact: Artifact
  /** Who was signed in in this browser when it began; undefined: nobody. */
  readonly begunAs: string | undefined
  /** When this request opened it. */
  readonly openedAt: EpochSeconds
}

export type LocalPurpose =
  | 'sign-in'
  | 'connect-confirm'
  | 'prove-address'
  | 'account-link'
  | 'credential'
  | 'which-account'

const LOCAL_SECONDS = 3600

export interface InteractionDeps {
  readonly issuer: string
  readonly storage: Storage
  readonly clock: Clock
}

/**
 * The interaction that this browser is in.
 *
 * @throws {FlowError} `interaction_expired` when it is gone, `wrong_browser` when another browser started it.
 */
export async function getInteraction(
  deps: InteractionDeps,
  request: BrowserRequest,
  uid: string | undefined,
): Promise<Interaction> {
  const hash = sha256Hex(uid ?? '')
  const artifact = uid === undefined ? undefined : await deps.storage.artifacts.find('Interaction', hash)
  const now = deps.clock()
  if (uid === undefined || artifact === undefined || artifact.expiresAt <= now || artifact.consumedAt !== undefined) {
    throw new FlowError('interaction_expired')
  }
  const { payload } = artifact
  if (payload.browser !== request.browser.hash) throw new FlowError('wrong_browser')
  const prompt = isJsonObject(payload.prompt) ? payload.prompt : {}
  const local = isString(payload.local) ? (payload.local as LocalPurpose) : undefined
  return {
    uid,
    hash,
    local,
    returnTo: local !== undefined && isString(payload.returnTo) ? payload.returnTo : `${deps.issuer}authorize/${uid}`,
    params: isJsonObject(payload.params) ? payload.params : {},
    prompt: { name: isString(prompt.name) ? prompt.name : 'login', reasons: stringsOf(prompt.reasons) },
    artifact,
    begunAs: local === undefined ? accountOf(payload.session) : artifact.userId,
    openedAt: now,
  }
}

/** The engine keeps the session that it found. */
const accountOf = (session: JsonValue | undefined): string | undefined =>
  isJsonObject(session) && isString(session.accountId) ? session.accountId : undefined

/** Starts an interaction of our own in this browser; `userId` is whoever is signed in and does. */
export async function startLocal(
  tx: Repositories,
  deps: InteractionDeps,
  given: { request: BrowserRequest; purpose: LocalPurpose; returnTo: string; params?: JsonObject; userId?: string },
): Promise<string> {
  const uid = randomToken()
  const now = deps.clock()
  await tx.artifacts.put({
    kind: 'Interaction',
    idHash: sha256Hex(uid),
    uid: undefined,
    grantId: undefined,
    userId: given.userId,
    clientId: undefined,
    payload: {
      local: given.purpose,
      returnTo: given.returnTo,
      params: given.params ?? {},
      prompt: { name: 'login', reasons: [] },
      browser: given.request.browser.hash,
      iat: now,
      exp: now + LOCAL_SECONDS,
      kind: 'Interaction',
    },
    createdAt: now,
    expiresAt: now + LOCAL_SECONDS,
    consumedAt: undefined,
    successorEnvelope: undefined,
    identityKey: undefined,
  })
  return uid
}

export type InteractionResult =
  | {
      readonly login: {
        readonly accountId: string
        readonly ts: number
        readonly amr: readonly string[]
        readonly acr: string | undefined
      }
    }
  | { readonly consent: { readonly grantId: string } }
  /** A client's wish to link or unlink was carried out. */
  | { readonly link: { readonly done: true } }
  | { readonly error: string; readonly error_description: string }

/**
 * Writes what the person decided; the browser then goes to `returnTo`. Local interactions end here: nothing resumes
 * them.
 *
 * @throws {FlowError} `interaction_expired`: it was answered meanwhile, by another post of the same form (T-AS-16).
 */
export async function settle(tx: Repositories, interaction: Interaction, result: InteractionResult): Promise<void> {
  const { hash, openedAt } = interaction
  if (!(await tx.artifacts.consume('Interaction', hash, openedAt))) throw new FlowError('interaction_expired')
  if (interaction.local !== undefined) return tx.artifacts.delete('Interaction', interaction.hash)
  // The engine would refuse to go on after the session id changed; the browser's cookie already says who goes on.
  const { session: _, pending: __, secondStep: ___, ...payload } = interaction.artifact.payload
  const earlier = isJsonObject(payload.lastSubmission) ? payload.lastSubmission : {}
  // However the wish to link came true, the engine does not ask for it again.
  const linked = interaction.prompt.name === 'link' ? { link: { done: true } } : {}
  const next = 'error' in result ? result : { ...earlier, ...linked, ...result }
  const settled = { ...payload, result: next as unknown as JsonObject }
  await tx.artifacts.put({ ...interaction.artifact, payload: settled, consumedAt: openedAt })
}

/** Keeps something with the interaction until its end, such as a sign-up that waits for its code. */
export async function remember(tx: Repositories, interaction: Interaction, members: JsonObject): Promise<void> {
  const payload = { ...interaction.artifact.payload, ...members }
  await tx.artifacts.put({ ...interaction.artifact, payload })
}
