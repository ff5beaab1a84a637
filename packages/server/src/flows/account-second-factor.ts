// The second step of a person's own sign-in: switched on and off on the page of their ways to sign in, always after they
// have shown who they are. Everybody else who is signed in as them is signed out when it is switched on, so that no session
// of before goes around it.
import { nameInApp, provenApp } from '../accounts/app-codes.ts'
import { addFactor, removeFactor, renewCodes } from '../accounts/change-factors.ts'
import { askedFactors, factorTry } from '../accounts/second-factors.ts'
import { transact } from '../accounts/transact.ts'
import { newFactorId } from '../crypto/hashing.ts'
import { newTotpSecret, totpKey, totpUri } from '../crypto/totp.ts'
import { CODE_AMR, PASSKEY_AMR, type SecondFactorKind, withMethods } from '../domain/second-factor.ts'
import type { SecondFactorRecord } from '../storage/factor-repository.ts'
import type { Repositories } from '../storage/storage.ts'
import { backTo, isFreshlyProven, type Owner, requireOwner, rotateSession, sessionCookieLine } from './account-owner.ts'
import type { AccountWish } from './account-wish.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'
import { openSealedState, sealState } from './sealed-state.ts'

const PAGE = '/account/connections'
export const APP_PAGE = '/account/second-step/app'
export const CODES_PAGE = '/account/second-step/codes'
const NEXT = { next: { kind: 'account', url: PAGE } } as const

const SETUP_SECONDS = 600
const SHOWN_SECONDS = 300
const setupArea = ({ session }: Owner): string => `second-factor-setup:${session.uid}`
const codesArea = ({ session }: Owner): string => `recovery-codes:${session.uid}`

export function changeSecondFactor(
  deps: FlowDeps,
  request: BrowserRequest,
  wish: Extract<AccountWish, { kind: 'second-factor' }>,
): Promise<Outcome> {
  switch (wish.change) {
    case 'add-app':
      return startApp(deps, request)
    case 'remove-app':
      return remove(deps, request, 'totp')
    case 'ask-passkey':
      return askForPasskeys(deps, request)
    case 'spare-passkey':
      return remove(deps, request, 'passkey')
    case 'new-codes':
      return newCodes(deps, request)
  }
}

/** A new secret goes to the page that shows it, and is nobody's before a code of it came back. */
async function startApp(deps: FlowDeps, request: BrowserRequest): Promise<Outcome> {
  const owner = await requireOwner(deps, request)
  const secret = newTotpSecret().toString('base64url')
  const state = sealState(deps, request, setupArea(owner), { secret })
  return { kind: 'redirect', url: `${APP_PAGE}?setup=${state}`, cookies: withBrowserCookie(request) }
}

export interface AppSetup {
  readonly state: string
  /** To be typed into an app. */
  readonly key: string
  /** What the QR code holds. */
  readonly uri: string
}

/** @throws {FlowError} `interaction_expired`: too late, or not of this browser and session. */
export async function appSetup(deps: FlowDeps, request: BrowserRequest, state: string | undefined): Promise<AppSetup> {
  const owner = await requireOwner(deps, request)
  const secret = openSetup(deps, request, owner, state)
  const uri = totpUri(secret, deps.settings().friendlyName, nameInApp(owner.user))
  return { state: state ?? '', key: totpKey(secret), uri }
}

function openSetup(deps: FlowDeps, request: BrowserRequest, owner: Owner, state: string | undefined): Buffer {
  const opened = openSealedState(deps, request, { area: setupArea(owner), state, seconds: SETUP_SECONDS })
  if (opened === undefined) throw new FlowError('interaction_expired', NEXT)
  return Buffer.from(String(opened.secret), 'base64url')
}

/** Undefined: not a code of that secret, and the page is to be shown again. */
export async function confirmApp(
  deps: FlowDeps,
  request: BrowserRequest,
  { state, code }: { readonly state: string | undefined; readonly code: string | undefined },
): Promise<Outcome | undefined> {
  const owner = await requireOwner(deps, request)
  const secret = openSetup(deps, request, owner, state)
  if (!isFreshlyProven(deps, owner.session)) throw new FlowError('interaction_expired', NEXT)
  const { userId } = owner.user
  const factor = provenApp(deps, { id: newFactorId(), userId, secret, code: code ?? '', at: deps.clock() })
  if (factor === undefined) return undefined
  // A browser in which it was proven: strangers' guesses do not lock its person out of it.
  const { browser, ip } = request
  await deps.signInLimits.succeeded(factorTry({ userId, by: browser.hash, ip }))
  return add(deps, request, owner, { factor, methods: CODE_AMR })
}

/** Only for somebody who has a passkey. */
async function askForPasskeys(deps: FlowDeps, request: BrowserRequest): Promise<Outcome> {
  const owner = await requireOwner(deps, request)
  const { userId } = owner.user
  if ((await deps.storage.passkeys.listOfUser(userId)).length === 0)
    return backTo(deps, request, PAGE, { code: 'gone', thing: '' })
  const at = deps.clock()
  const factor = { id: newFactorId(), userId, kind: 'passkey', envelope: undefined, lastStep: 0, addedAt: at } as const
  return add(deps, request, owner, { factor, methods: PASSKEY_AMR })
}

interface Addition {
  readonly factor: SecondFactorRecord
  /** How the session that adds it counts as proven from now on. */
  readonly methods: readonly string[]
}

async function add(
  deps: FlowDeps,
  request: BrowserRequest,
  owner: Owner,
  { factor, methods }: Addition,
): Promise<Outcome> {
  const { session } = owner
  const { userId } = factor
  const { cookie, shown } = await transact(deps.storage, async (tx) => {
    await requireActive(tx, userId)
    const added = await addFactor(deps, tx, { factor, keepSession: session.uid })
    if (added.kind === 'exists') throw new FlowError('interaction_expired', NEXT)
    const login = { userId, identityKey: session.identityKey, amr: withMethods(session.amr, methods) }
    const given = request.sessionCookie
    const { cookie } = await deps.sessions.start(tx, { ...login, authenticatedAt: session.authenticatedAt }, given)
    return { cookie, shown: added.codes }
  })
  const line = sessionCookieLine(deps, cookie)
  if (shown === undefined) return backTo(deps, request, PAGE, { code: 'second-step-on', thing: '' }, line)
  return showCodes(deps, request, owner, { codes: shown, cookie: line })
}

/** What to type where the second step is lost; the page can be looked at for five minutes, in this browser alone. */
function showCodes(
  deps: FlowDeps,
  request: BrowserRequest,
  owner: Owner,
  { codes, cookie }: { readonly codes: readonly string[]; readonly cookie: string | undefined },
): Outcome {
  const state = sealState(deps, request, codesArea(owner), { codes })
  const cookies = withBrowserCookie(request, cookie === undefined ? [] : [cookie])
  return { kind: 'redirect', url: `${CODES_PAGE}?codes=${state}`, cookies }
}

/** @throws {FlowError} `interaction_expired`. */
export async function shownCodes(
  deps: FlowDeps,
  request: BrowserRequest,
  state: string | undefined,
): Promise<readonly string[]> {
  const owner = await requireOwner(deps, request)
  const opened = openSealedState(deps, request, { area: codesArea(owner), state, seconds: SHOWN_SECONDS })
  if (opened === undefined || !Array.isArray(opened.codes)) throw new FlowError('interaction_expired', NEXT)
  return opened.codes.map(String)
}

async function newCodes(deps: FlowDeps, request: BrowserRequest): Promise<Outcome> {
  const owner = await requireOwner(deps, request)
  const { userId } = owner.user
  if ((await askedFactors(deps.storage, userId)).kinds.length === 0)
    return backTo(deps, request, PAGE, { code: 'gone', thing: '' })
  const shown = await transact(deps.storage, async (tx) => {
    await requireActive(tx, userId)
    const codes = await renewCodes(deps, tx, { userId, at: deps.clock() })
    return { codes, cookie: await rotateSession(deps, tx, request) }
  })
  return showCodes(deps, request, owner, shown)
}

async function remove(deps: FlowDeps, request: BrowserRequest, kind: SecondFactorKind): Promise<Outcome> {
  const { userId } = (await requireOwner(deps, request)).user
  const { removed, cookie } = await transact(deps.storage, async (tx) => {
    await requireActive(tx, userId)
    const removed = await removeFactor(deps, tx, { userId, kind, at: deps.clock() })
    return { removed, cookie: await rotateSession(deps, tx, request) }
  })
  return backTo(deps, request, PAGE, { code: removed ? 'second-step-off' : 'gone', thing: '' }, cookie)
}

async function requireActive(tx: Repositories, userId: string): Promise<void> {
  const [user] = await tx.users.lock([userId])
  if (user === undefined || user.blocked) throw new FlowError('user_blocked')
}
