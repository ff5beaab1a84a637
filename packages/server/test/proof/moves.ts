// Each move as steps of the server: what a route would call, with what a browser or an app would send.
import { randomHex } from '../../src/crypto/hashing.ts'
import { identityUserId } from '../../src/domain/connection.ts'
import { finishMailLink, submitAdd } from '../../src/flows/account-link.ts'
import type { BrowserRequest } from '../../src/flows/browser-request.ts'
import { submitChoose } from '../../src/flows/choose.ts'
import { submitConflict } from '../../src/flows/conflict.ts'
import { getInteraction } from '../../src/flows/interactions.ts'
import { goUpstream, submitPassword } from '../../src/flows/login.ts'
import { submitLogout } from '../../src/flows/logout.ts'
import { MAIL_PROVEN_PAGE } from '../../src/flows/mail-link.ts'
import { mergePage, submitMerge } from '../../src/flows/merge.ts'
import { submitNotMe } from '../../src/flows/not-me.ts'
import type { Outcome } from '../../src/flows/outcome.ts'
import { submitProof } from '../../src/flows/prove.ts'
import { submitProof as submitAddressProof } from '../../src/flows/prove-address.ts'
import { submitNewPassword, submitResetRequest } from '../../src/flows/reset-password.ts'
import { submitCode, submitSignup } from '../../src/flows/sign-up.ts'
import { submitWish } from '../../src/flows/step-up.ts'
import { submitSuggest } from '../../src/flows/suggest.ts'
import { PASSWORD_CONNECTION } from '../../src/protocol/built-in.ts'
import { type Identity, type Link, survivor } from './facts.ts'
import { typeWhatCame } from './mail-moves.ts'
import { ACCOUNTS, type AccountName, ADDRESSES, MAILBOXES, PASSED_ON, PASSWORDS, type Who } from './people.ts'
import { answerOf, type Move, type Stage, type Standing } from './stage.ts'

export const signUp = (standing: Standing, email: string): Move => ({
  name: `sign up as ${email}`,
  run: async (stage) => {
    await stage.step(standing, async (request) => {
      const open = await stage.openSignIn(request)
      stage.journey(standing.who, { kind: 'code', own: standing.own, uid: open.interaction.uid, code: undefined })
      return submitSignup(stage.engine.deps, open, { email, password: PASSWORDS[standing.who], name: undefined })
    })
  },
})

export const verify = (standing: Standing, uid: string, code: string): Move => ({
  name: 'verify the address by the code',
  run: (stage) =>
    stage.step(standing, async (request) =>
      submitCode(stage.engine.deps, request, await stage.open(request, uid), code),
    ),
})

export const signInByPassword = (standing: Standing, { password }: Identity): Move => ({
  name: 'sign in by password',
  run: (stage) =>
    stage.step(standing, async (request) =>
      submitPassword(stage.engine.deps, request, await stage.openSignIn(request), {
        username: password?.address,
        password: PASSWORDS[standing.who],
      }),
    ),
})

export const signInAt = (standing: Standing, account: AccountName): Move => ({
  name: `sign in as ${account}`,
  run: (stage) =>
    stage.step(standing, async (request) => {
      const open = await stage.openSignIn(request)
      const sent = await goUpstream(stage.engine.deps, request, open, ACCOUNTS[account].provider)
      return stage.comeBack(request, sent, account)
    }),
})

export const signOut = (standing: Standing): Move => ({
  name: 'sign out',
  run: (stage) =>
    stage.step(standing, (request) =>
      submitLogout(stage.engine.deps, request, { confirmed: true, returnTo: undefined }),
    ),
})

export const startLink = (standing: Standing, account: AccountName): Move => ({
  name: `start to link ${account}`,
  run: async (stage) => {
    const { provider } = ACCOUNTS[account]
    const sent = await stage.step(standing, (request) =>
      submitWish(stage.engine.deps, request, { kind: 'link', connection: provider, account: undefined }),
    )
    keepAnswer(stage, standing, sent, account)
  },
})

/** Whoever is sent to a provider stands there with its answer in hand; elsewhere the server wants something first. */
function keepAnswer(
  stage: Stage,
  { who, place, own }: Standing,
  sent: Outcome | undefined,
  account: AccountName,
): void {
  if (sent?.kind !== 'redirect' || !sent.url.startsWith(`https://${ACCOUNTS[account].provider}.test/`)) return
  stage.journey(who, { kind: 'answer', own, place, ...answerOf(sent, account) })
}

export const confirmAdd = (standing: Standing, uid: string): Move => ({
  name: 'confirm the link',
  run: (stage) => stage.step(standing, (request) => submitAdd(stage.engine.deps, request, uid, 'confirm')),
})

/** How somebody shows who they are. */
export type Way =
  | { readonly kind: 'password'; readonly address: string }
  | { readonly kind: 'account'; readonly account: AccountName }
  | { readonly kind: 'mailbox'; readonly address: string }

const NAME_OF_WAY = { password: 'by password', mailbox: 'by a mailed code' } as const
const nameOfWay = (way: Way): string => (way.kind === 'account' ? `as ${way.account}` : NAME_OF_WAY[way.kind])
const CONNECTION_OF_WAY = { password: PASSWORD_CONNECTION, mailbox: MAILBOXES } as const
const connectionOfWay = (way: Way): string =>
  way.kind === 'account' ? ACCOUNTS[way.account].provider : CONNECTION_OF_WAY[way.kind]

/** Of a suggestion: the way is chosen on its page. */
export const accept = (standing: Standing, uid: string, way: Way): Move => ({
  name: `accept the suggestion, and prove it ${nameOfWay(way)}`,
  run: async (stage) => {
    await stage.step(standing, async (request) => {
      const { deps } = stage.engine
      const method = connectionOfWay(way)
      const sent = await submitSuggest(deps, request, await stage.open(request, uid), { action: 'link', method })
      if (way.kind === 'account') return stage.comeBack(request, sent, way.account)
      const proof = sent.kind === 'redirect' ? new URL(sent.url, deps.issuer).searchParams.get('proof') : null
      return proveHere(stage, standing, request, { uid, proof: proof ?? undefined }, way)
    })
    if (way.kind === 'mailbox') await typeWhatCame(stage, standing)
  },
})

/** Of who is signed in: the page offers all of their ways. */
export const prove = (standing: Standing, asked: AskedProof, way: Way): Move => ({
  name: `prove it ${nameOfWay(way)}`,
  run: async (stage) => {
    await stage.step(standing, (request) => proveHere(stage, standing, request, asked, way))
    if (way.kind === 'mailbox') await typeWhatCame(stage, standing)
  },
})

interface AskedProof {
  readonly uid: string
  readonly proof: string | undefined
}

async function proveHere(
  stage: Stage,
  { who }: Standing,
  request: BrowserRequest,
  { uid, proof }: AskedProof,
  way: Way,
): Promise<Outcome> {
  const none = { connection: undefined, username: undefined, password: undefined }
  const typed = {
    password: { ...none, username: 'address' in way ? way.address : undefined, password: PASSWORDS[who] },
    mailbox: { ...none, email: 'address' in way ? way.address : undefined },
    account: { ...none, connection: connectionOfWay(way) },
  }[way.kind]
  const outcome = await submitProof(stage.engine.deps, request, await stage.open(request, uid), { proof, ...typed })
  return way.kind === 'account' ? stage.comeBack(request, outcome, way.account) : outcome
}

export const keepSeparate = (standing: Standing, uid: string): Move => ({
  name: 'keep separate',
  run: (stage) =>
    stage.step(standing, async (request) =>
      submitSuggest(stage.engine.deps, request, await stage.open(request, uid), { action: 'keep_separate' }),
    ),
})

export const choose = (standing: Standing, uid: string, answer: 'link' | 'continue'): Move => ({
  name: answer === 'link' ? 'add it to this account' : 'go on as somebody else',
  run: (stage) =>
    stage.step(standing, async (request) =>
      submitChoose(stage.engine.deps, request, await stage.open(request, uid), answer),
    ),
})

export const settleConflict = (standing: Standing, uid: string, answer: 'link' | 'continue'): Move => ({
  name: answer === 'link' ? 'ask for a merge' : 'go on as the other user',
  run: (stage) =>
    stage.step(standing, async (request) =>
      submitConflict(stage.engine.deps, request, await stage.open(request, uid), answer),
    ),
})

export const merge = (standing: Standing, uid: string): Move => ({
  name: 'confirm the merge',
  run: (stage) =>
    stage.step(standing, async (request) => {
      const { deps } = stage.engine
      const look = { remains: undefined }
      const shown = await mergePage(deps, request, await stage.open(request, uid), look)
      const planHash = shown.kind === 'page' && shown.page.name === 'merge-preview' ? shown.page.planHash : undefined
      return submitMerge(deps, request, await stage.open(request, uid), { action: 'confirm', ...look, planHash })
    }),
})

export const unlink = (standing: Standing, identity: Identity): Move => ({
  name: `unlink ${labelOf(identity)}`,
  run: (stage) =>
    stage.step(standing, (request) =>
      submitWish(stage.engine.deps, request, { kind: 'unlink', identity: fullName(identity) }),
    ),
})

/** Of the account page: the code goes to whoever reads that address. */
export const changeAddress = (standing: Standing, address: string): Move => ({
  name: `change the address to ${address}`,
  run: async (stage) => {
    const { who } = standing
    await stage.step(standing, (request) => submitWish(stage.engine.deps, request, { kind: 'change-address', address }))
    const journey = stage.people.journeys[who]
    // Nothing can come of it for who does not read that mailbox.
    if (journey?.kind === 'address' && journey.code === undefined) stage.journey(who, undefined)
  },
})

export const confirmAddress = (standing: Standing, uid: string, code: string): Move => ({
  name: 'confirm the address by the code',
  run: (stage) =>
    stage.step(standing, async (request) => {
      const { deps } = stage.engine
      const interaction = await getInteraction(deps, request, uid)
      const proven = await submitAddressProof(deps, request, interaction, { code, answer: 'code' })
      const next = proven.kind === 'redirect' ? new URL(proven.url, deps.issuer) : undefined
      if (next?.pathname !== MAIL_PROVEN_PAGE) return proven
      return finishMailLink(deps, request, next.searchParams.get('proven') ?? undefined)
    }),
})

/** What the person decided to keep of what changed since, they keep. */
export const undo = (standing: Standing, { id, secondary }: Link): Move => ({
  name: `undo ${secondary === undefined ? 'an added account' : 'a merge'} on the account page`,
  run: (stage) =>
    stage.step(standing, (request) =>
      submitWish(stage.engine.deps, request, { kind: 'undo-link', link: id, keepChanges: true }),
    ),
})

export const deleteAccount = (standing: Standing, userId: string): Move => ({
  name: 'delete the account',
  run: async (stage) => {
    const { before } = stage
    const done = await stage.step(standing, (request) =>
      submitWish(stage.engine.deps, request, { kind: 'delete-account' }),
    )
    if (done === undefined || standing.who !== 'victim') return
    // What they ended themselves they are not locked out of.
    const entered = stage.people.entered.filter((one) => survivor(before, one) !== userId)
    stage.people = { ...stage.people, entered }
  },
})

export const openApp = (who: Who, userId: string): Move => ({
  name: 'open the app',
  run: async (stage) => {
    const grantId = `grant${randomHex(16)}`
    await stage.engine.app.openGrant(userId, grantId)
    stage.people = { ...stage.people, apps: { ...stage.people.apps, [who]: { userId, grantId } } }
  },
})

/** The app holds a token for one user, and has just got an ID token for another. */
export const linkWith = (who: Who, primary: string, secondary: string): Move => ({
  name: 'link_with in the app',
  run: async (stage) => {
    const { engine, people } = stage
    const { session } = await engine.request(who, people)
    const idToken = engine.app.idToken(secondary, session?.authenticatedAt ?? 0)
    await callApi(stage, who, 'POST', `/users/${encodeURIComponent(primary)}/identities`, { link_with: idToken })
  },
})

export const splitOff = (who: Who, identity: Identity): Move => ({
  name: `unlink ${labelOf(identity)} in the app`,
  run: (stage) => {
    const { userId, connection, subject } = identity
    const name = `${encodeURIComponent(userId)}/identities/${strategyOf(connection)}`
    return callApi(stage, who, 'DELETE', `/users/${name}/${encodeURIComponent(inner(connection, subject))}`)
  },
})

async function callApi(stage: Stage, who: Who, method: string, path: string, body?: Record<string, string>) {
  const app = stage.people.apps[who]
  if (app === undefined) throw new Error(`the app of the ${who} holds no token`)
  const token = stage.engine.app.accessToken(app.userId, app.grantId)
  await answered(stage, who, stage.engine.manage({ token, method, path, body }))
}

async function answered(stage: Stage, who: Who, status: Promise<number>): Promise<void> {
  stage.answer = String(await status)
  if ((await status) >= 500) throw new Error(`the Management API answered ${stage.answer}`)
  stage.readMails(who)
}

/** The app's backend writes what the person typed. */
export const changeEmail = (userId: string): Move => ({
  name: `change the email to ${ADDRESSES.victim}`,
  run: (stage) => {
    const { engine } = stage
    const path = `/users/${encodeURIComponent(userId)}`
    const body = { email: ADDRESSES.victim }
    const call = { token: engine.app.backendToken(), method: 'PATCH', path, body }
    return answered(stage, 'attacker', engine.manage(call))
  },
})

export const reset = (standing: Standing): Move => ({
  name: 'reset the password by mail',
  run: async (stage) => {
    const { who } = standing
    await stage.step(standing, async (request) =>
      submitResetRequest(stage.engine.deps, await stage.openSignIn(request), ADDRESSES[who]),
    )
    const ticket = stage.takeResetLink(who)
    if (ticket === undefined) throw new Error('no link came by mail')
    await stage.step(standing, () => submitNewPassword(stage.engine.deps, ticket, PASSWORDS[who]))
  },
})

export const deny = (standing: Standing, ticket: string): Move => ({
  name: 'undo by the mailed link "this was not me"',
  run: (stage) =>
    stage.step(standing, async () => {
      await submitNotMe(stage.engine.deps, ticket)
      return { kind: 'redirect', url: '/account/not-me/done' }
    }),
})

/** Sent to a provider from a sign-in page, with its answer not followed yet. */
export const beginSignIn: Move = {
  name: 'begin to sign in as corp/a',
  run: async (stage) => {
    const standing: Standing = { who: 'attacker', place: 'attacker', own: true }
    const sent = await stage.step(standing, async (request) =>
      goUpstream(stage.engine.deps, request, await stage.openSignIn(request), 'corp'),
    )
    keepAnswer(stage, standing, sent, 'corp/a')
  },
}

/** The victim's browser opens what the attacker's browser should have. */
export const lure = (journey: { path: string; state: string; account: AccountName }): Move => ({
  name: `have the victim's browser follow ${journey.account} back`,
  run: async (stage) => {
    await stage.step({ who: 'attacker', place: 'victim', own: true }, (request) => stage.callback(request, journey))
    // What that browser shows now is the victim's to answer, who asked for nothing.
    stage.journey('attacker', undefined)
  },
})

/** In the victim's browser: whoever is signed in is signed out, and the attacker signs in. */
export const plant = (standing: Standing): Move => ({
  name: 'sign in as corp/a in the browser of the victim',
  run: async (stage) => {
    await signOut(standing).run(stage)
    await signInAt(standing, 'corp/a').run(stage)
  },
})

export const passOn: Move = {
  name: `be given ${PASSED_ON} by its provider`,
  run: async (stage) => {
    stage.people = { ...stage.people, passedOn: true }
  },
}

const STRATEGIES: Readonly<Record<string, string>> = { [PASSWORD_CONNECTION]: 'auth0', [MAILBOXES]: 'email' }
const strategyOf = (connection: string): string => STRATEGIES[connection] ?? 'oidc'
const inner = (connection: string, subject: string): string =>
  identityUserId({ strategy: strategyOf(connection), name: connection }, subject)
const fullName = ({ connection, subject }: Identity): string =>
  `${strategyOf(connection)}|${inner(connection, subject)}`
const labelOf = ({ connection, subject, password }: Identity): string =>
  password !== undefined ? 'the password' : connection === MAILBOXES ? 'the mailbox' : `${connection}/${subject}`
