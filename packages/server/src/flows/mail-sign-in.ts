// Signing in, and proving an account, by a code that is mailed. The mailbox is what signs in: an identity like every other,
// with an address at G3, so that the one decision says whose it is (linking.md §2). The answer never tells whether an
// address is known, and the link in the mail works in the browser that asked alone.
import { canonicalAddress, maskAddress } from '../domain/address.ts'
import type { Connection } from '../domain/connection.ts'
import { queueMail } from '../events/mail-queue.ts'
import { isJsonObject, isString } from '../lib/json.ts'
import type { Arrival } from './arrival.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import { isMailConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { type Interaction, remember } from './interactions.ts'
import type { OpenInteraction } from './login.ts'
import { CODE_SECONDS, type MailedCode, newCode, tryCode } from './mailed-code.ts'
import type { Outcome, VerifyPage } from './outcome.ts'

/** It opens an account by itself, as no other mailed code does: eight digits. */
const DIGITS = 8

interface PendingMail extends MailedCode {
  readonly address: string
  /** The proof that it is for, by the id of what is pending. */
  readonly proves: string | undefined
}

/** Mails a code, and leads to the page that takes it; undefined: not an address. @throws {FlowError} `rate_limited`. */
export async function startMailSignIn(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  { email, proves }: { readonly email: string; readonly proves?: string | undefined },
): Promise<Outcome | undefined> {
  const connection = requireMail(open)
  const address = canonicalAddress(email.trim())
  if (address === undefined) return undefined
  await mailCode(deps, open, connection, { address, proves })
  return toPage(request, open.interaction)
}

const toPage = (request: BrowserRequest, { uid }: Interaction): Outcome => ({
  kind: 'redirect',
  url: `/u/mail-code?state=${encodeURIComponent(uid)}`,
  cookies: withBrowserCookie(request),
})

function requireMail({ connections }: OpenInteraction): Connection {
  const connection = connections.find(isMailConnection)
  if (connection === undefined) throw new FlowError('connection_unavailable')
  return connection
}

async function mailCode(
  deps: FlowDeps,
  { interaction, appName: app }: OpenInteraction,
  connection: Connection,
  { address, proves }: Pick<PendingMail, 'address' | 'proves'>,
): Promise<void> {
  if (await deps.mailLimits.exceeded(address)) throw new FlowError('rate_limited')
  const { code, kept } = newCode(interaction, deps.clock(), DIGITS)
  const link = new URL(`u/mail-code?${new URLSearchParams({ state: interaction.uid, code })}`, deps.issuer).href
  const isOpen = connection.options.disable_signup !== true || (await isKnown(deps, connection, address))
  await deps.storage.transaction(async (tx) => {
    await remember(tx, interaction, { mailCode: { address, ...kept, proves: proves ?? null } })
    if (!isOpen) return
    await queueMail(tx, deps.keyring, {
      to: address,
      template: 'verify-code',
      values: {
        tenant: deps.settings().friendlyName,
        ...(app === undefined ? {} : { app }),
        purpose: 'sign-in',
        code,
        link,
        minutes: CODE_SECONDS / 60,
      },
      notAfter: kept.expiresAt,
    })
  })
}

/** Signs somebody in already, or is the address of somebody. */
async function isKnown(deps: FlowDeps, { id }: Connection, address: string): Promise<boolean> {
  if ((await deps.storage.identities.find(id, subjectOf(deps, address))) !== undefined) return true
  return (await deps.storage.evidence.listForAddress(address)).some(({ grade }) => grade >= 1)
}

/** `code`: from the link in the mail. It is filled in and nothing more: mail scanners open links. */
export function mailCodePage(
  { interaction }: OpenInteraction,
  more: {
    readonly code?: string | undefined
    readonly problem?: VerifyPage['problem']
    readonly resent?: boolean
  } = {},
): Outcome {
  const { address } = pendingMail(interaction)
  const { code, problem, resent = false } = more
  return {
    kind: 'page',
    page: { name: 'verify-email', reason: 'sign-in', state: interaction.uid, address, code, problem, resent },
    status: problem === undefined ? 200 : 400,
  }
}

export interface MailCodeForm {
  readonly code: string | undefined
  readonly answer: 'code' | 'resend' | 'cancel'
}

/** What a right code proves; an outcome when there is nothing to go on with. */
export type MailCodeResult =
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | {
      readonly kind: 'arrived'
      readonly arrival: Arrival
      readonly proves: string | undefined
      /** Without the code: it is used. */
      readonly interaction: Interaction
    }

export async function submitMailCode(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  { code, answer }: MailCodeForm,
): Promise<MailCodeResult> {
  const connection = requireMail(open)
  const { interaction } = open
  const pending = pendingMail(interaction)
  const { address, proves } = pending
  if (answer === 'resend') {
    await mailCode(deps, open, connection, pending)
    return { kind: 'outcome', outcome: mailCodePage(open, { resent: true }) }
  }
  if (answer === 'cancel') {
    await deps.storage.transaction((tx) => remember(tx, interaction, { mailCode: null }))
    const url =
      proves === undefined
        ? `/u/login?page=login&state=${interaction.uid}`
        : `/u/prove?${new URLSearchParams({ state: interaction.uid, proof: proves })}`
    return { kind: 'outcome', outcome: { kind: 'redirect', url, cookies: withBrowserCookie(request) } }
  }
  const problem = await judge(deps, request, interaction, { pending, typed: code })
  if (problem !== undefined) return { kind: 'outcome', outcome: mailCodePage(open, { problem }) }
  return {
    kind: 'arrived',
    arrival: mailboxArrival(deps, connection, address),
    proves,
    interaction: withoutCode(interaction),
  }
}

/** Guesses count for the address, over all codes that were mailed to it. @throws {FlowError} `rate_limited`. */
async function judge(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  { pending, typed }: { readonly pending: PendingMail; readonly typed: string | undefined },
): Promise<'code_wrong' | 'code_expired' | undefined> {
  const by = { account: `mail-code ${pending.address}`, browser: request.browser.hash, ip: request.ip }
  const limited = await deps.signInLimits.attempt(by)
  if (limited !== undefined) throw new FlowError('rate_limited', limited)
  const verdict = await tryCode(deps, interaction, { kept: pending, typed })
  if (verdict !== 'right') return verdict
  await deps.signInLimits.succeeded(by)
  const { points } = await deps.storage.transaction((tx) =>
    tx.limits.add(`code-used:${pending.codeHash}`, 1, deps.clock(), pending.expiresAt),
  )
  return points === 1 ? undefined : 'code_expired'
}

const withoutCode = (interaction: Interaction): Interaction => {
  const { mailCode: _, ...payload } = interaction.artifact.payload
  return { ...interaction, artifact: { ...interaction.artifact, payload } }
}

/** The same for the same mailbox, as long as the deployment lasts, and of no use to find out which it is. */
const subjectOf = ({ keyedName }: FlowDeps, address: string): string => keyedName(`mailbox ${address}`)

/** The mailbox itself, which was proven just now. */
export function mailboxArrival(deps: FlowDeps, connection: Connection, address: string): Arrival {
  return {
    connection,
    subject: subjectOf(deps, address),
    profileData: { email: address, email_verified: true },
    email: address,
    grade: 3,
    amr: ['otp'],
    account: { tokenset: undefined, upstreamName: maskAddress(address) },
    scopesAsked: [],
  }
}

function pendingMail({ artifact }: Interaction): PendingMail {
  const { mailCode: kept } = artifact.payload
  if (!isJsonObject(kept) || !isString(kept.address) || !isString(kept.codeHash))
    throw new FlowError('interaction_expired')
  return {
    address: kept.address,
    codeHash: kept.codeHash,
    expiresAt: Number(kept.expiresAt),
    proves: isString(kept.proves) ? kept.proves : undefined,
  }
}
