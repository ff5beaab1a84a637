// What the browser does next in an interaction: pure.
import { isString, type JsonObject } from '../lib/json.ts'

export type Step =
  | { readonly kind: 'login' }
  | { readonly kind: 'signup' }
  | { readonly kind: 'reset-password' }
  | { readonly kind: 'verify-email' }
  | { readonly kind: 'consent' }
  | { readonly kind: 'link-confirm' }
  /** A client asks to link or unlink. */
  | { readonly kind: 'client-link' }
  /** A person who is signed in proves their address first. */
  | { readonly kind: 'prove-address' }
  /** Somebody adds an account from their own pages: the question stands on a page of its own. */
  | { readonly kind: 'account-link' }
  /** A person types a credential of theirs: on a page of its own, too. */
  | { readonly kind: 'credential' }
  /** Of several accounts at one connection, which does a client's request mean? */
  | { readonly kind: 'which-account' }
  /** Straight to the connection that the request names. */
  | { readonly kind: 'upstream'; readonly connection: string }

export interface InteractionState {
  readonly local: string | undefined
  readonly promptName: string
  readonly params: JsonObject
  /** A sign-up waits for the code that was mailed. */
  readonly awaitsCode: boolean
  readonly passwordConnection: string | undefined
  /** Connections without a provider: their forms stand on the sign-in page. */
  readonly own: readonly string[]
}

export function nextStep({ local, promptName, params, awaitsCode, passwordConnection, own }: InteractionState): Step {
  if (local === 'connect-confirm') return { kind: 'link-confirm' }
  if (promptName === 'link') return { kind: 'client-link' }
  if (local === 'prove-address') return { kind: 'prove-address' }
  if (local === 'account-link' || local === 'credential' || local === 'which-account') return { kind: local }
  if (promptName === 'consent') return { kind: 'consent' }
  if (awaitsCode) return { kind: 'verify-email' }
  const { connection, screen_hint: hint } = params
  if (isString(connection) && !own.includes(connection)) return { kind: 'upstream', connection }
  if (passwordConnection !== undefined && hint === 'signup') return { kind: 'signup' }
  if (passwordConnection !== undefined && hint === 'reset-password') return { kind: 'reset-password' }
  return { kind: 'login' }
}

type SignInStep = 'login' | 'signup' | 'reset-password' | 'verify-email' | 'upstream'

/** Within one part of a journey a person chooses the way; from one to the next, we do. */
export type Part = 'sign-in' | Exclude<Step['kind'], SignInStep>

export const partOf = ({ kind }: Step): Part => (isSignInStep(kind) ? 'sign-in' : kind)

const SIGN_IN_STEPS: readonly Step['kind'][] = ['login', 'signup', 'reset-password', 'verify-email', 'upstream']
const isSignInStep = (kind: Step['kind']): kind is SignInStep => SIGN_IN_STEPS.includes(kind)
