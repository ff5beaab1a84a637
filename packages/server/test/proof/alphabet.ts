// The alphabet: which moves are possible in a state. A move that would change nothing is not offered.
import {
  appUser,
  emailOf,
  type Facts,
  type Identity,
  identitiesOf,
  identityOf,
  isOpen,
  linksOf,
  mailboxOf,
  passwordAt,
  passwordOf,
  signedIn,
  tombstoned,
} from './facts.ts'
import { signInByMail, startMailLink, typeMailCode } from './mail-moves.ts'
import {
  accept,
  beginSignIn,
  changeAddress,
  changeEmail,
  choose,
  confirmAdd,
  confirmAddress,
  deleteAccount,
  deny,
  keepSeparate,
  linkWith,
  lure,
  merge,
  openApp,
  passOn,
  plant,
  prove,
  reset,
  settleConflict,
  signInAt,
  signInByPassword,
  signOut,
  signUp,
  splitOff,
  startLink,
  undo,
  unlink,
  verify,
  type Way,
} from './moves.ts'
import { ACCOUNTS, ADDRESSES, accountsOf, type Journey, PASSED_ON, type Who } from './people.ts'
import type { Move, Standing } from './stage.ts'

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
    ...(facts.people.byMail ? mailedCodes(facts, standing, user) : []),
    ...(user === undefined ? [] : [signOut(standing)]),
  ]
}

/** The attacker asks for a code to the victim's mailbox as well, and has to guess it. */
function mailedCodes(facts: Facts, standing: Standing, user: string | undefined): readonly Move[] {
  const { who } = standing
  const own = mailboxOf(facts, who)
  return [
    ...(own !== undefined && own.userId === user ? [] : [signInByMail(standing, ADDRESSES[who])]),
    ...(who === 'attacker' ? [signInByMail(standing, ADDRESSES.victim)] : []),
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
    case 'address':
      return journey.code === undefined ? [] : [confirmAddress(begun, journey.uid, journey.code)]
    case 'mail-code':
      return [typeMailCode(begun, journey.uid, journey.code)]
    case 'answer':
      return [
        {
          name: `follow ${journey.account} back`,
          run: (stage) => stage.step(begun, (request) => stage.callback(request, journey)),
        },
      ]
    case 'question':
      return answersTo(facts, begun, journey)
  }
}

function answersTo(
  facts: Facts,
  standing: Standing,
  { question, uid, proof }: Extract<Journey, { kind: 'question' }>,
): readonly Move[] {
  // Whoever looked sees no reason to add anything to an account that is not theirs.
  const joins = standing.who === 'attacker' || standing.own
  switch (question) {
    case 'suggest':
      return [...provings(facts, standing.who).map((way) => accept(standing, uid, way)), keepSeparate(standing, uid)]
    case 'choose':
      return [...(joins ? [choose(standing, uid, 'link')] : []), choose(standing, uid, 'continue')]
    case 'conflict':
      return [...(joins ? [settleConflict(standing, uid, 'link')] : []), settleConflict(standing, uid, 'continue')]
    case 'prove':
      return provings(facts, standing.who).map((way) => prove(standing, { uid, proof }, way))
    case 'merge':
      return joins ? [merge(standing, uid)] : []
    case 'add':
      return joins ? [confirmAdd(standing, uid)] : []
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
  const wanted = who === 'attacker' ? [ADDRESSES.attacker, ADDRESSES.victim] : [ADDRESSES.victim]
  const addresses = wanted.filter((address) => address !== emailOf(facts, user))
  const app = appUser(facts, who)
  const appRemovable = app === undefined ? [] : identitiesOf(facts, app).filter(({ position }) => position > 0)
  return [
    ...linkable.map((account) => startLink(standing, account)),
    ...(facts.people.byMail && mailboxOf(facts, who)?.userId !== user ? [startMailLink(standing)] : []),
    ...removable.map((identity) => unlink(standing, identity)),
    ...addresses.map((address) => changeAddress(standing, address)),
    ...linksOf(facts, user).map((link) => undo(standing, link)),
    deleteAccount(standing, user),
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

/** Every way of one's own that the user who is to be proven could have. */
function provings(facts: Facts, who: Who): readonly Way[] {
  const password = passwordOf(facts, who)?.password
  return [
    ...(password === undefined ? [] : [{ kind: 'password', address: password.address } as const]),
    ...accountsOf(who, facts.people)
      .filter((name) => identityOf(facts, name) !== undefined)
      .map((account) => ({ kind: 'account', account }) as const),
    ...(mailboxOf(facts, who) === undefined ? [] : [{ kind: 'mailbox', address: ADDRESSES[who] } as const]),
  ]
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
