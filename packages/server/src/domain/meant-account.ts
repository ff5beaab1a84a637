// A client asks to connect an account at a provider where its user may have some already: which one is meant? Pure.
import type { VaultAccount } from './tokenset.ts'

type Known = Pick<VaultAccount, 'subject' | 'label'>

export interface MeantFacts<T extends Known> {
  /** The user's connected accounts at the connection. */
  readonly accounts: readonly T[]
  /** The client's `login_hint`. */
  readonly hint: string | undefined
  /** The client's `prompt`. */
  readonly prompt: string | undefined
  /** Nothing at the provider will tell whose account it is: the person types a credential. */
  readonly isTyped: boolean
}

export type Meant<T> =
  /** Nobody can tell but the person. */
  | { readonly kind: 'ask' }
  /** The client named it. */
  | { readonly kind: 'named'; readonly account: T }
  /** There is no other, so that it will probably be this one. */
  | { readonly kind: 'likely'; readonly account: T }
  | { readonly kind: 'new' }

export function decideMeant<T extends Known>({ accounts, hint, prompt, isTyped }: MeantFacts<T>): Meant<T> {
  if (prompt?.split(' ').includes('select_account')) return { kind: 'new' }
  const here = hint === undefined ? accounts : accounts.filter((one) => [one.subject, one.label].includes(hint))
  const [account, ...others] = here
  if (account === undefined) return { kind: 'new' }
  if (others.length > 0) return { kind: 'ask' }
  if (hint !== undefined) return { kind: 'named', account }
  return isTyped ? { kind: 'ask' } : { kind: 'likely', account }
}
