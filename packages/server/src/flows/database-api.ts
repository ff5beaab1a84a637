// Signing up and asking for a new password over the API (auth0-wire.md §1.9). As on the pages: nothing is made before the
// mailbox is proven, and no answer tells whether an address is known; the mail does (T-PRE-01, T-API-07). The password of
// a sign-up is judged and not kept: whoever opens the mailed link chooses it there, so that nobody who only knows the
// address chooses it for them.
import { randomHex, randomToken, sha256Hex } from '../crypto/hashing.ts'
import { passwordProblem } from '../crypto/passwords.ts'
import { canonicalAddress } from '../domain/address.ts'
import { PASSWORD_STRATEGY } from '../domain/connection.ts'
import { connectionRefusal } from '../domain/connection-use.ts'
import { queueMail } from '../events/mail-queue.ts'
import { isJsonObject, type JsonObject } from '../lib/json.ts'
import type { ChangePasswordBody, SignUpBody } from '../protocol/database-api.ts'
import type { ConnectionRecord } from '../storage/records.ts'
import type { FlowDeps } from './deps.ts'
import { mailResetLink } from './reset-password.ts'

export type DatabaseAnswer =
  | { readonly kind: 'taken'; readonly body: JsonObject }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly description: string }
  | { readonly kind: 'limited' }

export type RefusalCode = 'invalid_signup' | 'invalid_password' | 'invalid_request'

/** The mailed link opens for a day. */
const SIGN_UP_SECONDS = 86_400
const SUBJECT_DIGITS = 24

/** @returns the user as it will be; an `_id` of nobody when the address has an account. */
export async function signUpByApi(deps: FlowDeps, body: SignUpBody): Promise<DatabaseAnswer> {
  const { client_id: clientId, email, password, connection: name, user_metadata: userMetadata = {}, ...rest } = body
  const connection = await passwordConnection(deps, clientId, name)
  const address = canonicalAddress(email)
  if (connection === undefined || closesSignUp(connection.document) || address === undefined)
    return { kind: 'refused', code: 'invalid_signup', description: 'Invalid sign up' }
  if (passwordProblem(password, address) !== undefined)
    return { kind: 'refused', code: 'invalid_password', description: 'Password is too weak' }
  if (await deps.mailLimits.exceeded(address)) return { kind: 'limited' }
  const profile: JsonObject = Object.fromEntries(
    Object.entries(rest).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
  const subject = randomHex(SUBJECT_DIGITS)
  const known = await deps.storage.passwords.findByAddress(connection.id, address)
  if (known === undefined) await mailSignUp(deps, { connection, subject, address, profile, userMetadata })
  else await mailAccountExists(deps, connection, { address, subject: known.subject })
  return {
    kind: 'taken',
    body: {
      _id: subject,
      email: address,
      email_verified: false,
      ...profile,
      ...(Object.keys(userMetadata).length === 0 ? {} : { user_metadata: userMetadata }),
    },
  }
}

/** Mails a link when the address has a password here; the answer is the same when it has none. */
export async function changePasswordByApi(deps: FlowDeps, body: ChangePasswordBody): Promise<DatabaseAnswer> {
  const connection = await passwordConnection(deps, body.client_id, body.connection)
  const address = canonicalAddress(body.email)
  if (connection === undefined || address === undefined)
    return { kind: 'refused', code: 'invalid_request', description: 'The client, connection or address is not valid.' }
  if (await deps.mailLimits.exceeded(address)) return { kind: 'limited' }
  const known = await deps.storage.passwords.findByAddress(connection.id, address)
  const identity = known && (await deps.storage.identities.find(connection.id, known.subject))
  if (identity !== undefined) await mailResetLink(deps, { ...identity, address })
  return { kind: 'taken', body: {} }
}

async function passwordConnection(
  { storage }: FlowDeps,
  clientId: string,
  name: string,
): Promise<ConnectionRecord | undefined> {
  const connection = await storage.connections.findByName(name)
  if (connection === undefined || connection.strategy !== PASSWORD_STRATEGY) return undefined
  const enabled = await storage.connections.isEnabled(connection.id, clientId)
  return connectionRefusal(connection.document, enabled) === undefined ? connection : undefined
}

const closesSignUp = ({ options }: JsonObject): boolean => isJsonObject(options) && options.disable_signup === true

interface WantedAccount {
  readonly connection: ConnectionRecord
  readonly subject: string
  readonly address: string
  readonly profile: JsonObject
  readonly userMetadata: JsonObject
}

async function mailSignUp(
  { storage, keyring, clock, issuer, settings }: FlowDeps,
  { connection, ...wanted }: WantedAccount,
): Promise<void> {
  const ticket = randomToken()
  const createdAt = clock()
  const expiresAt = createdAt + SIGN_UP_SECONDS
  const link = new URL(`reset-password?ticket=${ticket}`, issuer).href
  await storage.transaction(async (tx) => {
    await tx.signUps.insert({
      ...wanted,
      idHash: sha256Hex(ticket),
      connectionId: connection.id,
      createdAt,
      expiresAt,
    })
    const values = { tenant: settings().friendlyName, link, hours: SIGN_UP_SECONDS / 3600 }
    await queueMail(tx, keyring, { to: wanted.address, template: 'finish-sign-up', values, notAfter: expiresAt })
  })
}

async function mailAccountExists(
  deps: FlowDeps,
  connection: ConnectionRecord,
  { address, subject }: { readonly address: string; readonly subject: string },
): Promise<void> {
  const identity = await deps.storage.identities.find(connection.id, subject)
  if (identity !== undefined) await mailResetLink(deps, { ...identity, address }, 'account-exists')
}
