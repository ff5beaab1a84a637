// What a step of a journey leads to. `web/` turns it into an answer; no flow writes markup or headers.
import type { FlowErrorCode, FlowNext } from './flow-error.ts'
import type { ShownUser } from './shown-user.ts'

export type Outcome =
  | { readonly kind: 'redirect'; readonly url: string; readonly cookies?: readonly string[] }
  | { readonly kind: 'page'; readonly page: FlowPage; readonly status?: number; readonly cookies?: readonly string[] }

export interface ShownConnection {
  readonly name: string
  readonly displayName: string
}

export type SignInWay = { readonly kind: 'password' } | { readonly kind: 'connection'; readonly displayName: string }

export type FlowPage =
  | LoginPage
  | SignupPage
  | VerifyPage
  | ResetPage
  | ConsentPage
  | LinkConfirmPage
  | LogoutPage
  | ErrorPage

export interface LoginPage {
  readonly name: 'login'
  readonly state: string
  readonly appName: string | undefined
  readonly connections: readonly ShownConnection[]
  readonly password: { readonly username: string | undefined; readonly wrong: boolean } | undefined
}

export interface SignupPage {
  readonly name: 'signup'
  readonly state: string
  readonly appName: string | undefined
  readonly email: string | undefined
  readonly personName: string | undefined
  readonly problem: SignupProblem | undefined
}

export type SignupProblem =
  | 'address_missing'
  | 'address_invalid'
  | 'password_too_short'
  | 'password_too_long'
  | 'password_common'
  | 'password_is_personal'
  | 'name_invalid'

export interface VerifyPage {
  readonly name: 'verify-email'
  /** Making an account, or before another one is connected. */
  readonly reason: 'signup' | 'connect'
  readonly state: string
  readonly address: string
  readonly problem: 'code_wrong' | 'code_expired' | undefined
  readonly resent: boolean
}

export type ResetPage =
  | {
      readonly name: 'reset-password'
      readonly step: 'ask'
      readonly state: string
      readonly email: string | undefined
      readonly problem: 'address_missing' | 'address_invalid' | undefined
    }
  | { readonly name: 'reset-password'; readonly step: 'sent'; readonly email: string; readonly state: string }
  | {
      readonly name: 'reset-password'
      readonly step: 'choose'
      readonly ticket: string
      readonly address: string
      readonly problem: SignupProblem | undefined
    }
  | { readonly name: 'reset-password'; readonly step: 'done' }

export interface ConsentPage {
  readonly name: 'consent'
  readonly state: string
  readonly client: { readonly name: string; readonly host: string | undefined }
  readonly scopes: readonly string[]
  readonly mayUseAccounts: boolean
  readonly user: ShownUser
}

export interface LinkConfirmPage {
  readonly name: 'link-confirm'
  readonly state: string
  readonly client: { readonly name: string; readonly host: string | undefined }
  readonly user: ShownUser & { readonly ways: readonly SignInWay[] }
  readonly account: {
    readonly connection: ShownConnection
    readonly name: string
    readonly address: string | undefined
  }
  readonly scopes: readonly string[]
}

export interface LogoutPage {
  readonly name: 'logout'
  readonly step: 'ask' | 'done'
  readonly returnTo: string | undefined
  readonly user: ShownUser | undefined
}

export interface ErrorPage {
  readonly name: 'error'
  readonly code: FlowErrorCode | 'server_error'
  /** A sentence for whoever makes the client; nothing secret. */
  readonly hint?: string | undefined
  readonly next?: FlowNext | undefined
}
