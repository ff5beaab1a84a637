// The way into the console for whoever can run commands on this deployment: a link that opens once, and the session that
// it opens. The session is nobody's user session; it is short, and holds in the one browser that opened the link.
import { newId, randomToken, sha256Hex } from '../crypto/hashing.ts'
import { isString } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Artifact } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'

export const CONSOLE_COOKIE = '__Host-tenon_console'
export const CONSOLE_LINK_SECONDS = 300
export const CONSOLE_SESSION_SECONDS = 3600

export interface ConsoleSession {
  readonly linkId: string
  readonly enteredAt: EpochSeconds
}

/** Makes a link. Its ticket is shown once, and stored as a hash. */
export async function issueConsoleLink(
  tx: Repositories,
  at: EpochSeconds,
): Promise<{ readonly ticket: string; readonly expiresAt: EpochSeconds }> {
  const ticket = randomToken()
  const linkId = newId('col_', 16)
  const expiresAt = at + CONSOLE_LINK_SECONDS
  await tx.artifacts.put(rowOf('ConsoleLink', ticket, { linkId, browser: '', at, expiresAt }))
  const data = { console_link_id: linkId, expires_at: expiresAt }
  await tx.events.append({ type: 'console.link_made', at, outcome: 'ok', data })
  return { ticket, expiresAt }
}

/** True while the link would open the console: it was not used, and is not too old. */
export async function isConsoleLinkOpen(
  repositories: Repositories,
  ticket: string,
  at: EpochSeconds,
): Promise<boolean> {
  const link = await repositories.artifacts.find('ConsoleLink', sha256Hex(ticket))
  return link !== undefined && link.consumedAt === undefined && link.expiresAt > at
}

/**
 * Uses the link up and starts its session: for the one caller that comes first.
 *
 * @returns the value of the session's cookie; undefined when the link does not open anything any more.
 */
export async function enterByConsoleLink(
  tx: Repositories,
  { ticket, browserHash, at }: { readonly ticket: string; readonly browserHash: string; readonly at: EpochSeconds },
): Promise<string | undefined> {
  const hash = sha256Hex(ticket)
  const link = await tx.artifacts.find('ConsoleLink', hash)
  const linkId = link?.payload.link_id
  if (link === undefined || !isString(linkId) || link.expiresAt <= at) return undefined
  if (!(await tx.artifacts.consume('ConsoleLink', hash, at))) return undefined
  const cookie = randomToken()
  const expiresAt = at + CONSOLE_SESSION_SECONDS
  await tx.artifacts.put(rowOf('ConsoleSession', cookie, { linkId, browser: browserHash, at, expiresAt }))
  return cookie
}

/** The live session that this cookie opens in this browser. */
export async function findConsoleSession(
  repositories: Repositories,
  { cookie, browserHash, at }: { cookie: string | undefined; browserHash: string; at: EpochSeconds },
): Promise<ConsoleSession | undefined> {
  if (cookie === undefined) return undefined
  const session = await repositories.artifacts.find('ConsoleSession', sha256Hex(cookie))
  if (session === undefined || session.expiresAt <= at) return undefined
  const { link_id: linkId, browser } = session.payload
  return isString(linkId) && browser === browserHash ? { linkId, enteredAt: session.createdAt } : undefined
}

export const endConsoleSession = (tx: Repositories, cookie: string): Promise<void> =>
  tx.artifacts.delete('ConsoleSession', sha256Hex(cookie))

function rowOf(
  kind: 'ConsoleLink' | 'ConsoleSession',
  secret: string,
  { linkId, browser, at, expiresAt }: { linkId: string; browser: string; at: EpochSeconds; expiresAt: EpochSeconds },
): Artifact {
  return {
    kind,
    idHash: sha256Hex(secret),
    uid: undefined,
    grantId: undefined,
    userId: undefined,
    clientId: undefined,
    payload: { link_id: linkId, browser },
    createdAt: at,
    expiresAt,
    consumedAt: undefined,
    successorEnvelope: undefined,
    identityKey: undefined,
  }
}
