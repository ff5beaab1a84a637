// Making an account by address and password. Nothing is made before the mailbox is proved: nobody can sit on somebody
// else's address and wait (T-PRE-01), and the answer does not tell whether an address is known (T-API-07).
import { sweepSquatters } from '../accounts/sweep.ts'
import { createPasswordUser } from '../accounts/users.ts'
import { type PasswordProblem, passwordProblem } from '../crypto/passwords.ts'
import { canonicalAddress } from '../domain/address.ts'
import { Conflict } from '../domain/errors.ts'
import type { Mail } from '../events/mail.ts'
import { queueMail } from '../events/mail-queue.ts'
import { isJsonObject, isString } from '../lib/json.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { remember } from './interactions.ts'
import { loginPage, type OpenInteraction } from './login.ts'
import { CODE_SECONDS, type MailedCode, newCode, tryCode } from './mailed-code.ts'
import type { Outcome, SignupPage, SignupProblem, VerifyPage } from './outcome.ts'
import { signIn } from './sign-in.ts'

const NAME_LENGTH = 150

export interface SignupForm {
  readonly email: string | undefined
  readonly password: string | undefined
  readonly name: string | undefined
}

/** What waits with the interaction for the code; `passwordHash` is absent when the address has an account already. */
interface PendingSignup extends MailedCode {
  readonly address: string
  readonly name: string | undefined
  readonly passwordHash: string | undefined
}

export function signupPage(open: OpenInteraction, form?: SignupForm, problem?: SignupProblem): Outcome {
  const page: SignupPage = {
    name: 'signup',
    state: open.interaction.uid,
    appName: open.appName,
    email: form?.email,
    personName: form?.name,
    problem,
  }
  return { kind: 'page', page, status: problem === undefined ? 200 : 400 }
}

/** Takes the form, mails a code, and waits for it on the next page. */
export async function submitSignup(deps: FlowDeps, open: OpenInteraction, form: SignupForm): Promise<Outcome> {
  const connection = requirePasswords(open)
  const address = canonicalAddress(form.email ?? '')
  const problem = signupProblem(form, address)
  if (problem !== undefined || address === undefined) return signupPage(open, form, problem ?? 'address_invalid')
  const passwordHash = await deps.passwords.hash(form.password ?? '')
  const taken = (await deps.storage.passwords.findByAddress(connection.id, address)) !== undefined
  const name = form.name?.trim() || undefined
  await mailCode(deps, open, { address, name, passwordHash: taken ? undefined : passwordHash })
  return verifyPage(open, address, { resent: false })
}

/** Checks the code; the right one makes the user, its address proved, and signs it in. */
export async function submitCode(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  code: string | undefined,
): Promise<Outcome> {
  const connection = requirePasswords(open)
  const pending = pendingSignup(open)
  const now = deps.clock()
  const { address, name, passwordHash } = pending
  const verdict = await tryCode(deps, open.interaction, { kept: pending, typed: code })
  // No code is right for an address that has an account: none was mailed.
  if (verdict !== 'right' || passwordHash === undefined)
    return verifyPage(open, address, { problem: verdict === 'right' ? 'code_wrong' : verdict })
  try {
    const user = await deps.storage.transaction(async (tx) => {
      const made = await createPasswordUser(tx, {
        connection,
        email: address,
        hash: passwordHash,
        ...(name === undefined ? {} : { profile: { name } }),
        grade: 3,
        source: 'mail',
        at: now,
        ip: request.ip,
      })
      // Whoever only claimed the address was sitting on it.
      await sweepSquatters(tx, deps.vault, { address, ownerId: made.userId, at: now })
      return made
    })
    const subject = user.userId.slice(user.userId.indexOf('|') + 1)
    const [identity] = await deps.storage.identities.listOfUser(user.userId)
    const profileData = identity?.profileData ?? {}
    return await signIn(deps, request, open.interaction, {
      connection,
      subject: identity?.subject ?? subject,
      profileData,
      email: undefined,
      grade: 0,
      amr: ['pwd', 'otp'],
      account: undefined,
      scopesAsked: [],
    })
  } catch (error) {
    // Made meanwhile, in another tab: the person signs in.
    if (error instanceof Conflict) return loginPage(deps, request, open)
    throw error
  }
}

export async function resendCode(deps: FlowDeps, open: OpenInteraction): Promise<Outcome> {
  const { address, name, passwordHash } = pendingSignup(open)
  await mailCode(deps, open, { address, name, passwordHash })
  return verifyPage(open, address, { resent: true })
}

export function verifyPage(
  open: OpenInteraction,
  address: string,
  more: { problem?: VerifyPage['problem']; resent?: boolean } = {},
): Outcome {
  const page: VerifyPage = {
    name: 'verify-email',
    reason: 'signup',
    state: open.interaction.uid,
    address,
    problem: more.problem,
    resent: more.resent ?? false,
  }
  return { kind: 'page', page, status: more.problem === undefined ? 200 : 400 }
}

export const pendingAddress = (open: OpenInteraction): string => pendingSignup(open).address

/** Forgets a sign-up that waits for its code, and shows the sign-in page. */
export async function cancelSignup(deps: FlowDeps, request: BrowserRequest, open: OpenInteraction): Promise<Outcome> {
  await deps.storage.transaction((tx) => remember(tx, open.interaction, { signup: null }))
  return { kind: 'redirect', url: `/u/login?state=${open.interaction.uid}`, cookies: withBrowserCookie(request) }
}

async function mailCode(
  deps: FlowDeps,
  open: OpenInteraction,
  given: Pick<PendingSignup, 'address' | 'name' | 'passwordHash'>,
): Promise<void> {
  if (await deps.mailLimits.exceeded(given.address)) throw new FlowError('rate_limited')
  const { code, kept } = newCode(open.interaction, deps.clock())
  await deps.storage.transaction(async (tx) => {
    await remember(tx, open.interaction, { signup: serialize({ ...given, ...kept }) })
    await queueMail(tx, deps.keyring, codeMail(deps, open, given, code))
  })
}

function codeMail(
  deps: FlowDeps,
  open: OpenInteraction,
  { address, passwordHash }: Pick<PendingSignup, 'address' | 'passwordHash'>,
  code: string,
): Mail {
  const tenant = deps.settings().friendlyName
  const app = open.appName === undefined ? {} : { app: open.appName }
  const notAfter = deps.clock() + CODE_SECONDS
  if (passwordHash !== undefined) {
    const values = { tenant, ...app, purpose: 'sign-up', code, minutes: CODE_SECONDS / 60 } as const
    return { to: address, template: 'verify-code', values, notAfter }
  }
  const link = new URL(`u/reset-password?state=${open.interaction.uid}`, deps.issuer).href
  return { to: address, template: 'account-exists', values: { tenant, ...app, link }, notAfter }
}

const serialize = ({ name, passwordHash, ...rest }: PendingSignup) => ({
  ...rest,
  name: name ?? null,
  passwordHash: passwordHash ?? null,
})

function pendingSignup({ interaction }: OpenInteraction): PendingSignup {
  const { signup } = interaction.artifact.payload
  if (!isJsonObject(signup) || !isString(signup.address) || !isString(signup.codeHash))
    throw new FlowError('interaction_expired')
  return {
    address: signup.address,
    name: isString(signup.name) ? signup.name : undefined,
    passwordHash: isString(signup.passwordHash) ? signup.passwordHash : undefined,
    codeHash: signup.codeHash,
    expiresAt: Number(signup.expiresAt),
  }
}

function requirePasswords({ passwordConnection }: OpenInteraction) {
  if (passwordConnection === undefined || passwordConnection.options.disable_signup === true) {
    throw new FlowError('connection_unavailable')
  }
  return passwordConnection
}

function signupProblem({ email, password, name }: SignupForm, address: string | undefined): SignupProblem | undefined {
  if (email === undefined || email === '') return 'address_missing'
  if (address === undefined) return 'address_invalid'
  if ((name?.length ?? 0) > NAME_LENGTH) return 'name_invalid'
  const problem = passwordProblem(password ?? '', address)
  return problem && PROBLEM_WORDS[problem]
}

export const PROBLEM_WORDS: Readonly<Record<PasswordProblem, SignupProblem>> = {
  too_short: 'password_too_short',
  too_long: 'password_too_long',
  malformed: 'password_too_long',
  is_address: 'password_is_personal',
  too_common: 'password_common',
}
