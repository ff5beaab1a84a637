// Where the search begins. From an empty server every state can be reached; the others are a few moves ahead of it, so
// that what takes many moves is looked at as closely.

export interface Root {
  readonly name: string
  /** What leads there; these moves are not counted. */
  readonly moves: readonly string[]
  /** Both sign in by mailed codes as well. */
  readonly byMail?: true
}

export const NOBODY_THERE: Root = { name: 'nobody has an account', moves: [] }

const SIGNED_UP = ['victim: sign up as v@corp.example', 'victim: verify the address by the code']

export const BOTH_THERE: Root = {
  name: 'both have an account; the victim can enter by two ways, and is about to add a third',
  moves: [
    ...SIGNED_UP,
    'victim: start to link corp/v',
    'victim: follow corp/v back',
    'victim: confirm the link',
    'attacker: sign up as a@corp.example',
    'attacker: verify the address by the code',
    'attacker: sign out',
    'victim: start to link club/v',
  ],
}

export const SQUATTED: Root = {
  name: 'the attacker had their email changed to that of the victim, who has no account',
  moves: [
    'attacker: sign up as a@corp.example',
    'attacker: verify the address by the code',
    'attacker: change the email to v@corp.example',
  ],
}

export const INTERRUPTED: Root = {
  name: 'the victim waits for a code, and the attacker signed in in that browser since',
  moves: ['victim: sign up as v@corp.example', 'attacker: sign in as corp/a in the browser of the victim'],
}

export const TWO_EACH: Root = {
  name: 'both have two accounts, and an app that holds a token for one of them',
  moves: [
    ...SIGNED_UP,
    'victim: open the app',
    'victim: sign out',
    'victim: sign in as club/v',
    'victim: keep separate',
    'attacker: sign in as corp/a',
    'attacker: open the app',
    'attacker: sign out',
    'attacker: sign in as rogue/v',
  ],
}

export const MOVED_AWAY: Root = {
  name: "the attacker's account went by the victim's address, which a sloppy provider vouched for, and goes by their own",
  moves: [
    'attacker: sign in as club/a',
    'attacker: change the address to a@corp.example',
    'attacker: confirm the address by the code',
  ],
}

export const BY_MAIL: Root = {
  name: 'both sign in by codes that are mailed, the victim beside an account at a provider',
  byMail: true,
  moves: [
    'victim: sign in as club/v',
    'victim: sign out',
    'attacker: sign up as a@corp.example',
    'attacker: verify the address by the code',
  ],
}

export const ROOTS: readonly Root[] = [NOBODY_THERE, BOTH_THERE, SQUATTED, INTERRUPTED, TWO_EACH, MOVED_AWAY, BY_MAIL]
