// Where the search begins. From an empty server every state can be reached; the others are a few moves ahead of it, so
// that what takes many moves is looked at as closely.
import type { Root } from './search.ts'

const SIGNED_UP = ['victim: sign up as v@corp.example', 'victim: verify the address by the code']

const SIMPLE_ROOTS: readonly Root[] = [
  { name: 'nobody has an account', moves: [] },
  {
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
  },
  {
    name: 'the attacker had their email changed to that of the victim, who has no account',
    moves: [
      'attacker: sign up as a@corp.example',
      'attacker: verify the address by the code',
      'attacker: change the email to v@corp.example',
    ],
  },
]

const TWO_EACH: Root = {
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

export const ROOTS: readonly Root[] = [...SIMPLE_ROOTS, TWO_EACH]

/** A planted bug may close the way to a root that needs more than signing up and linking. */
export const rootsOf = ({ needsTwoEach = false }: { readonly needsTwoEach?: boolean }): readonly Root[] =>
  needsTwoEach ? ROOTS : SIMPLE_ROOTS
