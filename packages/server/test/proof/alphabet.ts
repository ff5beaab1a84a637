// The moves: who may do what in a state, and how they do it. A move that would change nothing is not offered.
import { randomHex, sha256Hex } from '../../src/crypto/hashing.ts'
import { identityUserId } from '../../src/domain/connection.ts'
import { submitAdd } from '../../src/flows/account-link.ts'
import { submitChoose } from '../../src/flows/choose.ts'
import { submitConflict } from '../../src/flows/conflict.ts'
import { goUpstream, submitPassword } from '../../src/flows/login.ts'
import { submitLogout } from '../../src/flows/logout.ts'
import { mergePage, submitMerge } from '../../src/flows/merge.ts'
import { submitNotMe } from '../../src/flows/not-me.ts'
import type { Outcome } from '../../src/flows/outcome.ts'
import { submitProof } from '../../src/flows/prove.ts'
import { submitNewPassword, submitResetRequest } from '../../src/flows/reset-password.ts'
import { submitCode, submitSignup } from '../../src/flows/sign-up.ts'
import { submitWish } from '../../src/flows/step-up.ts'
import { submitSuggest } from '../../src/flows/suggest.ts'
import { PASSWORD_CONNECTION } from '../../src/protocol/built-in.ts'
import { appUser, type Facts, type Identity, identitiesOf, rowsOf, signedIn, tombstoned } from './facts.ts'
import { ACCOUNTS, type AccountName, ADDRESSES, accountsOf, PASSED_ON, PASSWORDS, type Who } from './people.ts'
import { answerOf, type Stage, type Standing } from './stage.ts'

export interface Move {
  readonly name: string
  readonly run: (stage: Stage) => Promise<unknown>
}

/** Every move that is possible now, in an order that is always the same. */
export const movesIn = (facts: Facts): readonly Move[] => [
  ...movesOf(facts, 'victim'),
  ...movesOf(facts, 'attacker'),
  ...tricks(facts),
]

/** What either of them can do in their own browser. */
function movesOf(facts: Facts, who: Who): readonly Move[] {
  const user = signedIn(facts, who)
  // The victim looks who is signed in before they begin something.
  const own = user === undefined || facts.people.sessions[who]?.by === who
  const standing: Standing = { who, place: who, own }
  const moves = [
    ...entrances(facts, standing, user),
    ...answers(facts, standing),
    ...(user !== undefined && own ? changes(facts, standing, user) : []),
    ...recovery(facts, who),
  ]
  return moves.map(({ name, run }) => ({ name: `${who}: ${name}`, run }))
}

function entrances(facts: Facts, standing: Standing, user: string | undefined): readonly Move[] {
  const { who } = standing
  const isOwn = (identity: Identity | undefined) => identity !== undefined && identity.userId === user
  const password = passwordOf(facts, who)
  const accounts = accountsOf(who, facts.people).filter((name) => !isOwn(identityOf(facts, name)))
  return [
    ...(passwordAt(facts, ADDRESSES[who]) ? [] : [signUp(standing, ADDRESSES[who])]),
    ...(who === 'attacker' ? [signUp(standing, ADDRESSES.victim)] : []),
    ...(password === undefined || isOwn(password) ? [] : [signInByPassword(standing, password)]),
    ...accounts.map((account) => signInAt(standing, account)),
    ...(user === undefined ? [] : [signOut(standing)]),
  ]
}

/** The next step of what is under way. */
function answers(facts: Facts, standing: Standing): readonly Move[] {
  const { who } = standing
  const journey = facts.people.journeys[who]
  if (journey === undefined) return []
  const begun: Standing = { who, place: 'place' in journey ? journey.place : who, own: journey.own }
  switch (journey.kind) {
    case 'code':
      return journey.code === undefined ? [] : [verify(begun, journey.uid, journey.code)]
    case 'answer':
      return [
        {
          name: `follow ${journey.account} back`,
          run: (stage) => stage.step(begun, (request) => stage.callback(request, journey)),
        },
      ]
    case 'question':
      return answersTo(facts, begun, journey.question, journey.uid)
  }
}

function answersTo(facts: Facts, standing: Standing, question: string, uid: string): readonly Move[] {
  // Whoever looked sees no reason to add anything to an account that is not theirs.
  const joins = standing.who === 'attacker' || standing.own
  switch (question) {
    case 'suggest':
      return [...provings(facts, standing, uid), keepSeparate(standing, uid)]
    case 'choose':
      return [...(joins ? [choose(standing, uid, 'link')] : []), choose(standing, uid, 'continue')]
    case 'conflict':
      return [...(joins ? [settleConflict(standing, uid, 'link')] : []), settleConflict(standing, uid, 'continue')]
    case 'merge':
      return joins ? [merge(standing, uid)] : []
    case 'add':
      return joins ? [confirmAdd(standing, uid)] : []
    default:
      return []
  }
}

function recovery(facts: Facts, who: Who): readonly Move[] {
  const standing: Standing = { who, place: who, own: true }
  const tickets = facts.people.tickets[who].filter((ticket) => isOpen(facts, ticket))
  return [
    ...(passwordAt(facts, ADDRESSES[who]) ? [reset(standing)] : []),
    ...tickets.map((ticket) => deny(standing, ticket)),
  ]
}

/** What a person changes of the user that they are signed in as. */
function changes(facts: Facts, standing: Standing, user: string): readonly Move[] {
  const { who } = standing
  const identities = identitiesOf(facts, user)
  const removable = identities.filter(({ position }) => position > 0)
  const linkable = accountsOf(who, facts.people).filter((name) => identityOf(facts, name)?.userId !== user)
  const app = appUser(facts, who)
  const appRemovable = app === undefined ? [] : identitiesOf(facts, app).filter(({ position }) => position > 0)
  return [
    ...linkable.map((account) => startLink(standing, account)),
    ...removable.map((identity) => unlink(standing, identity)),
    ...(app === user ? [] : [openApp(who, user)]),
    ...(app === undefined || app === user ? [] : [linkWith(who, app, user)]),
    ...appRemovable.map((identity) => splitOff(who, identity)),
    ...(who === 'attacker' && emailOf(facts, user) !== ADDRESSES.victim ? [changeEmail(user)] : []),
  ]
}

/** What the attacker can do besides. */
function tricks(facts: Facts): readonly Move[] {
  const { people } = facts
  const journey = people.journeys.attacker
  const atVictims: Standing = { who: 'attacker', place: 'victim', own: true }
  const moves = [
    ...(mayPassOn(facts) ? [passOn] : []),
    ...(journey?.kind === 'answer' ? [lure(journey)] : [beginSignIn]),
    ...(people.sessions.victim?.by === 'attacker' ? [] : [plant(atVictims)]),
    ...(people.sessions.victim?.by === 'attacker' && signedIn(facts, 'victim') !== undefined
      ? [{ ...startLink(atVictims, 'club/a'), name: 'start to link club/a in the browser of the victim' }]
      : []),
  ]
  return moves.map(({ name, run }) => ({ name: `attacker: ${name}`, run }))
}

const signUp = (standing: Standing, email: string): Move => ({
  name: `sign up as ${email}`,
  run: async (stage) => {
    await stage.step(standing, async (request) => {
      const open = await stage.openSignIn(request)
      stage.journey(standing.who, { kind: 'code', own: standing.own, uid: open.interaction.uid, code: undefined })
      return submitSignup(stage.engine.deps, open, { email, password: PASSWORDS[standing.who], name: undefined })
    })
  },
})

const verify = (standing: Standing, uid: string, code: string): Move => ({
  name: 'verify the address by the code',
  run: (stage) =>
    stage.step(standing, async (request) =>
      submitCode(stage.engine.deps, request, await stage.open(request, uid), code),
    ),
})

const signInByPassword = (standing: Standing, { password }: Identity): Move => ({
  name: 'sign in by password',
  run: (stage) =>
    stage.step(standing, async (request) =>
      submitPassword(stage.engine.deps, request, await stage.openSignIn(request), {
        username: password?.address,
        password: PASSWORDS[standing.who],
      }),
    ),
})

const signInAt = (standing: Standing, account: AccountName): Move => ({
  name: `sign in as ${account}`,
  run: (stage) =>
    stage.step(standing, async (request) => {
      const open = await stage.openSignIn(request)
      const sent = await goUpstream(stage.engine.deps, request, open, ACCOUNTS[account].provider)
      return stage.comeBack(request, sent, account)
    }),
})

const signOut = (standing: Standing): Move => ({
  name: 'sign out',
  run: (stage) =>
    stage.step(standing, (request) =>
      submitLogout(stage.engine.deps, request, { confirmed: true, returnTo: undefined }),
    ),
})

const startLink = (standing: Standing, account: AccountName): Move => ({
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

const confirmAdd = (standing: Standing, uid: string): Move => ({
  name: 'confirm the link',
  run: (stage) => stage.step(standing, (request) => submitAdd(stage.engine.deps, request, uid, 'confirm')),
})

/** By every way of one's own that the user who is to be proven could have. */
function provings(facts: Facts, standing: Standing, uid: string): readonly Move[] {
  const password = passwordOf(facts, standing.who)
  return [
    ...(password === undefined ? [] : [proveByPassword(standing, uid, password)]),
    ...accountsOf(standing.who, facts.people)
      .filter((name) => identityOf(facts, name) !== undefined)
      .map((account) => proveAt(standing, uid, account)),
  ]
}

const proveByPassword = (standing: Standing, uid: string, { password }: Identity): Move => ({
  name: 'accept the suggestion, and prove it by password',
  run: (stage) =>
    stage.step(standing, async (request) => {
      const { deps } = stage.engine
      const method = PASSWORD_CONNECTION
      const asked = await submitSuggest(deps, request, await stage.open(request, uid), { action: 'link', method })
      const proof = asked.kind === 'redirect' ? new URL(asked.url, deps.issuer).searchParams.get('proof') : null
      return submitProof(deps, request, await stage.open(request, uid), {
        proof: proof ?? undefined,
        connection: undefined,
        username: password?.address,
        password: PASSWORDS[standing.who],
      })
    }),
})

const proveAt = (standing: Standing, uid: string, account: AccountName): Move => ({
  name: `accept the suggestion, and prove it as ${account}`,
  run: (stage) =>
    stage.step(standing, async (request) => {
      const answer = { action: 'link', method: ACCOUNTS[account].provider } as const
      const sent = await submitSuggest(stage.engine.deps, request, await stage.open(request, uid), answer)
      return stage.comeBack(request, sent, account)
    }),
})

const keepSeparate = (standing: Standing, uid: string): Move => ({
  name: 'keep separate',
  run: (stage) =>
    stage.step(standing, async (request) =>
      submitSuggest(stage.engine.deps, request, await stage.open(request, uid), { action: 'keep_separate' }),
    ),
})

const choose = (standing: Standing, uid: string, answer: 'link' | 'continue'): Move => ({
  name: answer === 'link' ? 'add it to this account' : 'go on as somebody else',
  run: (stage) =>
    stage.step(standing, async (request) =>
      submitChoose(stage.engine.deps, request, await stage.open(request, uid), answer),
    ),
})

const settleConflict = (standing: Standing, uid: string, answer: 'link' | 'continue'): Move => ({
  name: answer === 'link' ? 'ask for a merge' : 'go on as the other user',
  run: (stage) =>
    stage.step(standing, async (request) =>
      submitConflict(stage.engine.deps, request, await stage.open(request, uid), answer),
    ),
})

const merge = (standing: Standing, uid: string): Move => ({
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

const unlink = (standing: Standing, identity: Identity): Move => ({
  name: `unlink ${labelOf(identity)}`,
  run: (stage) =>
    stage.step(standing, (request) =>
      submitWish(stage.engine.deps, request, { kind: 'unlink', identity: fullName(identity) }),
    ),
})

const openApp = (who: Who, userId: string): Move => ({
  name: 'open the app',
  run: async (stage) => {
    const grantId = `grant${randomHex(16)}`
    await stage.engine.openGrant(userId, grantId)
    stage.people = { ...stage.people, apps: { ...stage.people.apps, [who]: { userId, grantId } } }
  },
})

/** The app holds a token for one user, and has just got an ID token for another. */
const linkWith = (who: Who, primary: string, secondary: string): Move => ({
  name: 'link_with in the app',
  run: async (stage) => {
    const { engine, people } = stage
    const { session } = await engine.request(who, people)
    const idToken = engine.idToken(secondary, session?.authenticatedAt ?? 0)
    await callApi(stage, who, 'POST', `/users/${encodeURIComponent(primary)}/identities`, { link_with: idToken })
  },
})

const splitOff = (who: Who, identity: Identity): Move => ({
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
  const token = stage.engine.appToken(app.userId, app.grantId)
  await answered(stage, who, stage.engine.manage(token, method, path, body))
}

async function answered(stage: Stage, who: Who, status: Promise<number>): Promise<void> {
  stage.answer = String(await status)
  if ((await status) >= 500) throw new Error(`the Management API answered ${stage.answer}`)
  stage.readMails(who)
}

/** The app's backend writes what the person typed. */
const changeEmail = (userId: string): Move => ({
  name: `change the email to ${ADDRESSES.victim}`,
  run: (stage) => {
    const { engine } = stage
    const path = `/users/${encodeURIComponent(userId)}`
    const body = { email: ADDRESSES.victim }
    return answered(stage, 'attacker', engine.manage(engine.machineToken(), 'PATCH', path, body))
  },
})

const reset = (standing: Standing): Move => ({
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

const deny = (standing: Standing, ticket: string): Move => ({
  name: 'undo by the mailed link "this was not me"',
  run: (stage) =>
    stage.step(standing, async () => {
      await submitNotMe(stage.engine.deps, ticket)
      return { kind: 'redirect', url: '/account/not-me/done' }
    }),
})

/** Sent to a provider from a sign-in page, with its answer not followed yet. */
const beginSignIn: Move = {
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
const lure = (journey: { path: string; state: string; account: AccountName }): Move => ({
  name: `have the victim's browser follow ${journey.account} back`,
  run: async (stage) => {
    await stage.step({ who: 'attacker', place: 'victim', own: true }, (request) => stage.callback(request, journey))
    // What that browser shows now is the victim's to answer, who asked for nothing.
    stage.journey('attacker', undefined)
  },
})

/** In the victim's browser: whoever is signed in is signed out, and the attacker signs in. */
const plant = (standing: Standing): Move => ({
  name: 'sign in as corp/a in the browser of the victim',
  run: async (stage) => {
    await signOut(standing).run(stage)
    await signInAt(standing, 'corp/a').run(stage)
  },
})

const passOn: Move = {
  name: `be given ${PASSED_ON} by its provider`,
  run: async (stage) => {
    stage.people = { ...stage.people, passedOn: true }
  },
}

/** The victim let go of it, and is not about to take it back. */
function mayPassOn(facts: Facts): boolean {
  const { provider, subject } = ACCOUNTS[PASSED_ON]
  const { people } = facts
  return (
    !people.passedOn &&
    people.journeys.victim === undefined &&
    tombstoned(facts, provider, subject) &&
    identityOf(facts, PASSED_ON) === undefined
  )
}

const identityOf = ({ identities }: Facts, name: AccountName): Identity | undefined =>
  identities.find((one) => one.connection === ACCOUNTS[name].provider && one.subject === ACCOUNTS[name].subject)

const passwordOf = ({ identities }: Facts, who: Who): Identity | undefined =>
  identities.find(({ password }) => password?.knownTo === who)

const passwordAt = ({ identities }: Facts, address: string): boolean =>
  identities.some(({ password }) => password?.address === address)

const emailOf = ({ tables }: Facts, userId: string): unknown =>
  rowsOf(tables, 'users').find((row) => row.user_id === userId)?.email

function isOpen({ tables }: Facts, ticket: string): boolean {
  const proof = rowsOf(tables, 'proofs').find((row) => row.id_hash === sha256Hex(ticket))
  const link = proof && rowsOf(tables, 'links').find(({ id }) => id === proof.bound_to)
  return link !== undefined && link.undone_at === null
}

const strategyOf = (connection: string): string => (connection === PASSWORD_CONNECTION ? 'auth0' : 'oidc')
const inner = (connection: string, subject: string): string =>
  identityUserId({ strategy: strategyOf(connection), name: connection }, subject)
const fullName = ({ connection, subject }: Identity): string =>
  `${strategyOf(connection)}|${inner(connection, subject)}`
const labelOf = ({ connection, subject, password }: Identity): string =>
  password === undefined ? `${connection}/${subject}` : 'the password'
