// Where the search begins. From an empty server every state is reachable; from the others, those that take many moves.
import type { Root } from './search.ts'

const SIGNED_UP = ['victim: sign up as v@corp.example', 'victim: verify the address by the code']

export const ROOTS: readonly Root[] = [
  { name: 'nobody has an account', moves: [] },
  {
    name: 'both have an account, and the victim can enter by two ways',
    moves: [
      ...SIGNED_UP,
      'victim: start to link corp/v',
      'victim: follow corp/v back',
      'victim: confirm the link',
      'attacker: sign up as a@corp.example',
      'attacker: verify the address by the code',
    ],
  },
  {
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
  },
]
