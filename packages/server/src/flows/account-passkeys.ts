// Adding a passkey to one's own account, and naming it. It is linked as an account at a provider would be: recorded, mailed
// with a way to take it back, and removed as any other way to sign in.
import { labelPasskey } from '../accounts/label-passkey.ts'
import { transact } from '../accounts/transact.ts'
import { checkNewPasskey, newPasskeyOptions, relyingPartyOf } from '../crypto/passkeys.ts'
import { mayLink } from '../domain/addresses-of-user.ts'
import type { Connection } from '../domain/connection.ts'
import { Conflict } from '../domain/errors.ts'
import { isLabel, tidyLabel } from '../domain/label.ts'
import { PASSKEY_AMR } from '../domain/second-factor.ts'
import type { User } from '../domain/user.ts'
import type { JsonObject } from '../lib/json.ts'
import { requireMayAdd } from './account-connect.ts'
import { backTo, isFreshlyProven, type Owner, requireOwner, rotateSession } from './account-owner.ts'
import { addArrival } from './add-arrival.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import { isPasskeyConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'
import { consumeChallenge, newChallenge, parseAnswer } from './passkey-proof.ts'
import { passkeyArrival } from './passkey-sign-in.ts'

const PAGE = '/account/connections'
export const NEW_PASSKEY_PAGE = '/account/passkeys/new'
const NEXT = { next: { kind: 'account', url: PAGE } } as const

/** Where the browser makes one. */
export const startNewPasskey = (request: BrowserRequest, { name }: Connection): Outcome => ({
  kind: 'redirect',
  url: `${NEW_PASSKEY_PAGE}?${new URLSearchParams({ connection: name })}`,
  cookies: withBrowserCookie(request),
})

export interface NewPasskeyPage {
  readonly connection: string
  readonly options: JsonObject
}

/** The same for all passkeys of one person, so that a device replaces its own instead of collecting them. */
const handleOf = ({ keyedName }: FlowDeps, { userId }: User): string =>
  Buffer.from(keyedName(`passkeys of ${userId}`)).toString('base64url')

const purposeOf = ({ session }: Owner, { id }: Connection): string => `new-passkey:${id}:${session.uid}`

/** @throws {FlowError} `connection_unavailable`; `interaction_expired`: the person did not show who they are lately. */
export async function newPasskeyPage(
  deps: FlowDeps,
  request: BrowserRequest,
  name: string | undefined,
): Promise<NewPasskeyPage> {
  const { owner, connection } = await requireMayMake(deps, request, name)
  const { user } = owner
  const known = await deps.storage.passkeys.listOfUser(user.userId)
  const userName = user.email ?? user.profile.name ?? user.userId
  const options = await newPasskeyOptions({
    party: relyingPartyOf(deps.issuer),
    partyName: deps.settings().friendlyName,
    challenge: newChallenge(deps, request, purposeOf(owner, connection)),
    userHandle: handleOf(deps, user),
    userName,
    displayName: user.profile.name ?? userName,
    known: known.map(({ subject: id, transports }) => ({ id, transports })),
  })
  return { connection: connection.name, options }
}

async function requireMayMake(deps: FlowDeps, request: BrowserRequest, name = '') {
  const owner = await requireOwner(deps, request)
  if (!mayLink(owner.user)) throw new FlowError('address_unproven', NEXT)
  if (!isFreshlyProven(deps, owner.session)) throw new FlowError('interaction_expired', NEXT)
  const connection = await deps.connections.findByName(deps.storage, name)
  if (connection === undefined || !isPasskeyConnection(connection) || !connection.authenticationActive)
    throw new FlowError('connection_unavailable', NEXT)
  return { owner, connection }
}

export interface NewPasskeyForm {
  readonly connection: string | undefined
  readonly label: string | undefined
  readonly passkey: string | undefined
}

export async function addPasskey(deps: FlowDeps, request: BrowserRequest, form: NewPasskeyForm): Promise<Outcome> {
  const { owner, connection } = await requireMayMake(deps, request, form.connection)
  const { user, session } = owner
  const answer = parseAnswer(form.passkey ?? '')
  const isOurs = (challenge: string) => consumeChallenge(deps, request, purposeOf(owner, connection), challenge)
  const made = answer && (await checkNewPasskey({ party: relyingPartyOf(deps.issuer), answer, isOurs }))
  if (made === undefined) return backTo(deps, request, PAGE, { code: 'passkey-refused', thing: '' })
  const label = tidyLabel(form.label)
  const { id: subject, publicKey, counter, transports } = made
  const arrival = passkeyArrival(connection, { ...EMPTY, connectionId: connection.id, subject, userId: user.userId })
  const passkey = {
    connectionId: connection.id,
    subject,
    userHandle: handleOf(deps, user),
    publicKey,
    counter,
    transports,
    label: isLabel(label) ? label : '…',
  }
  const cookie = await transact(deps.storage, async (tx) => {
    await requireMayAdd(tx, user.userId)
    const proof = { by: 'session', authenticated_at: session.authenticatedAt, amr: PASSKEY_AMR }
    const added = await addArrival(deps, tx, arrival, { userId: user.userId, rule: 'account', proof, at: deps.clock() })
    if (added.kind !== 'linked' || !(await tx.passkeys.insert(passkey)))
      throw new Conflict('identity_conflict', 'The credential is known.')
    return rotateSession(deps, tx, request)
  }).catch((cause: unknown) => {
    if (cause instanceof Conflict) throw new FlowError('identity_conflict', { cause, ...NEXT })
    throw cause
  })
  return backTo(deps, request, PAGE, { code: 'passkey-added', thing: passkey.label }, cookie)
}

/** What an identity is without having been anything yet. */
const EMPTY = { position: 0, profileData: {}, createdAt: 0, lastLogin: undefined } as const

/** Somebody else's is one that is not there. */
export async function renamePasskey(
  deps: FlowDeps,
  request: BrowserRequest,
  { passkey: subject, label: typed }: { readonly passkey: string | undefined; readonly label: string | undefined },
): Promise<Outcome> {
  const { user } = await requireOwner(deps, request)
  const own = (await deps.storage.passkeys.listOfUser(user.userId)).find((one) => one.subject === subject)
  if (own === undefined) return backTo(deps, request, PAGE, { code: 'gone', thing: '' })
  const label = await deps.storage.transaction((tx) => labelPasskey(tx, own, typed))
  if (label === undefined) return backTo(deps, request, PAGE, { code: 'label-bad', thing: own.label })
  return backTo(deps, request, PAGE, { code: 'passkey-named', thing: label })
}
