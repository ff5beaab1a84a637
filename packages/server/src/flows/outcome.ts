// What a step of a journey leads to. `web/` turns it into an answer; no flow writes markup or headers.
import type { SecondStepAfter } from '../accounts/second-factors.ts'
import type { ApprovalKind } from '../domain/approval.ts'
import type { AskedUse } from '../domain/asked-use.ts'
import type { PlannedAccount, PlannedAddress, PlannedIdentity, PlannedKey } from '../domain/merge.ts'
import type { CredentialKind } from '../domain/tokenset.ts'
import type { CredentialProblem } from '../domain/typed-credential.ts'
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { FlowErrorCode, FlowNext } from './flow-error.ts'
import type { ShownUser } from './shown-user.ts'

export type Outcome =
  | {
      readonly kind: 'redirect'
      readonly url: string
      /** Default: 303, whatever was asked by. */
      readonly status?: 302
      readonly cookies?: readonly string[]
    }
  | { readonly kind: 'page'; readonly page: FlowPage; readonly status?: number; readonly cookies?: readonly string[] }

export interface ShownConnection {
  readonly name: string
  readonly displayName: string
  /** Says what its scopes mean. */
  readonly strategy?: string
}

export type SignInWay = { readonly kind: 'password' } | { readonly kind: 'connection'; readonly displayName: string }

export type FlowPage =
  | LoginPage
  | SecondStepPage
  | SignupPage
  | VerifyPage
  | VerifyLinkPage
  | ResetPage
  | ConsentPage
  | ApprovePage
  | ActivatePage
  | LinkConfirmPage
  | EnterCredentialPage
  | WhichAccountPage
  | LinkSuggestPage
  | LinkChoosePage
  | LinkConflictPage
  | MergePreviewPage
  | GoUpstreamPage
  | LogoutPage
  | ErrorPage

export interface LoginPage {
  readonly name: 'login'
  readonly state: string
  readonly appName: string | undefined
  readonly connections: readonly ShownConnection[]
  readonly password: { readonly username: string | undefined; readonly wrong: boolean } | undefined
  /** A code can be mailed. */
  readonly email: { readonly typed: string | undefined; readonly wrong: boolean } | undefined
  /** What the browser is asked for, where passkeys are on. */
  readonly passkey: JsonObject | undefined
  readonly passkeyRefused: boolean
  /** Somebody is to prove an account that exists, for this pending arrival. */
  readonly proves?: string | undefined
}

/** Somebody showed a way in, and their account asks for more. */
export interface SecondStepPage {
  readonly name: 'mfa'
  readonly state: string
  /** Signing in, or a change to the account. */
  readonly stepUp?: boolean
  readonly totp: boolean
  readonly recovery: boolean
  /** What the browser is asked for. */
  readonly passkey: JsonObject | undefined
  readonly problem: 'code_wrong' | 'passkey_refused' | undefined
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
  /** Making an account, before another one is connected, to go by another address, or to sign in. */
  readonly reason: 'signup' | 'connect' | 'account' | 'sign-in' | 'step-up'
  /** From the link in the mail. */
  readonly code?: string | undefined
  readonly state: string
  readonly address: string
  readonly problem: 'code_wrong' | 'code_expired' | undefined
  readonly resent: boolean
}

/** A link that shows an address to be the person's, answered where they are signed in. */
export type VerifyLinkPage =
  | { readonly name: 'verify-link'; readonly step: 'ask'; readonly ticket: string; readonly address: string }
  | { readonly name: 'verify-link'; readonly step: 'done'; readonly address: string }

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

/** A scope, with the words of the API that it belongs to where it is one of ours. */
export interface AskedFor {
  readonly value: string
  readonly description: string | undefined
}

/** An agent, or a device, asks for a yes. */
export interface ApprovePage {
  readonly name: 'approve'
  readonly state: string
  readonly kind: ApprovalKind
  /** `asked`: it waits for the person; `over`: nobody answered in time. */
  readonly status: 'asked' | 'allowed' | 'denied' | 'over'
  readonly client: { readonly name: string; readonly firstParty: boolean }
  readonly audience: string | undefined
  readonly scopes: readonly AskedFor[]
  /** In the client's own words. */
  readonly message: string | undefined
  /** As the device shows it. */
  readonly userCode: string | undefined
  readonly use: AskedUse | undefined
  readonly askedAt: EpochSeconds
  readonly expiresAt: EpochSeconds
  readonly user: ShownUser
  /** Hash of what the page says: an answer is for that. */
  readonly shown: string
}

/** Where the code of a device is typed. */
export interface ActivatePage {
  readonly name: 'activate'
  readonly typed: string | undefined
  readonly problem: 'code_unknown' | 'code_missing' | undefined
}

export interface LinkConfirmPage {
  readonly name: 'link-confirm'
  readonly state: string
  /** What the account will be good for. */
  readonly for: 'agents' | 'sign-in'
  readonly client: { readonly name: string; readonly host: string | undefined }
  readonly user: ShownUser & { readonly ways: readonly SignInWay[] }
  readonly account: {
    readonly connection: ShownConnection
    readonly name: string
    readonly address: string | undefined
  }
  readonly scopes: readonly string[]
  readonly keepsTokens: boolean
  /** The provider can be made to ask which account is meant. */
  readonly asksThere: boolean
  /** The person typed a key or password of theirs; `isGiven`: an exchange gives it to the client. */
  readonly typed?: { readonly isGiven: boolean } | undefined
  /** Label of the account that was meant: this is another one. */
  readonly insteadOf?: string | undefined
}

/** Where a person types a credential of theirs, for an account that agents use. */
export interface EnterCredentialPage {
  readonly name: 'enter-credential'
  readonly state: string
  readonly connection: ShownConnection
  readonly kind: CredentialKind
  /** Who asks; undefined when it is the person, from their own pages. */
  readonly client: { readonly name: string; readonly isGiven: boolean } | undefined
  /** Label of the account whose credential is replaced. */
  readonly replaces: string | undefined
  /** The account has no name of its own. */
  readonly asksLabel: boolean
  readonly label: string
  readonly username: string | undefined
  /** The only ones that it is sent to. */
  readonly hosts: readonly string[]
  readonly helpUrl: string | undefined
  readonly scopes: readonly string[]
  readonly problem: CredentialProblem | 'secret_refused' | 'secret_unchecked' | undefined
}

/** A client asks for an account where the person has some. */
export interface WhichAccountPage {
  readonly name: 'which-account'
  readonly state: string
  readonly connection: ShownConnection
  readonly client: { readonly name: string }
  readonly accounts: readonly {
    readonly id: string
    readonly label: string
    readonly needsReconnecting: boolean
    readonly lastUsedAt: EpochSeconds | undefined
  }[]
  readonly isTyped: boolean
  /** The provider can be made to ask which account is meant. */
  readonly asksThere: boolean
}

/** Why a question is asked again: another account was proven, or the provider or the person there said no. */
export type ProofProblem = 'wrong_account' | 'refused'

export interface ShownArrival {
  readonly connection: ShownConnection
  /** What the account is called at its provider. */
  readonly name: string
  readonly address?: string | undefined
  /** No account at a provider, but one with an address and a password. */
  readonly byPassword?: boolean
}

export interface LinkSuggestPage {
  readonly name: 'link-suggest'
  readonly state: string
  /** Whole: the page masks it. It is the newcomer's own. */
  readonly address: string
  readonly account: ShownArrival
  readonly ways: readonly (ShownConnection & { readonly kind: 'password' | 'connection' })[]
  readonly undoDays: number
  readonly problem: ProofProblem | undefined
}

export interface LinkChoosePage {
  readonly name: 'link-choose'
  readonly state: string
  readonly appName: string | undefined
  readonly user: ShownUser
  readonly account: ShownArrival
  /** The user's own address is proven, or there is none. */
  readonly mayAdd: boolean
  readonly problem: ProofProblem | undefined
}

export interface LinkConflictPage {
  readonly name: 'link-conflict'
  readonly state: string
  readonly appName: string | undefined
  readonly user: ShownUser
  readonly account: ShownArrival
  /** The journey may go on as the other user. */
  readonly mayContinue: boolean
  /** The provider can be asked for another account. */
  readonly mayChooseAnother: boolean
  readonly problem: ProofProblem | undefined
}

export interface MergePreviewPage {
  readonly name: 'merge-preview'
  readonly state: string
  readonly primary: MergeSideShown
  readonly secondary: MergeSideShown
  readonly planHash: string
  readonly rows: readonly MergeRow[]
  /** Of the user that goes: browsers that are signed out, apps whose permission ends. */
  readonly ended: { readonly sessions: number; readonly apps: number; readonly secondStep: SecondStepAfter }
  /** Until when it can be taken back. */
  readonly undoUntil: EpochSeconds
  readonly stale: boolean
}

/** One of the two users of a merge: who is signed in, or whose identity arrived. */
export type MergeChoice = 'own' | 'other'

export interface MergeSideShown extends ShownUser {
  readonly side: MergeChoice
  /** Its own address is proven, or there is none. */
  readonly mayRemain: boolean
  readonly createdAt: EpochSeconds
  readonly lastLogin: EpochSeconds | undefined
  readonly ways: readonly SignInWay[]
  readonly accounts: readonly string[]
}

/** One line of the diff. */
export interface MergeRow {
  readonly group: 'ways' | 'accounts' | 'addresses' | 'metadata'
  /** A name, a label, a key, or an address, which pages mask. */
  readonly thing: string
  readonly outcome: 'kept' | 'moved' | 'merged' | 'dropped'
  readonly why: PlannedIdentity['why'] | PlannedAccount['why'] | PlannedAddress['why'] | PlannedKey['why']
}

/** On to a provider that wants the question posted. */
export interface GoUpstreamPage {
  readonly name: 'go-upstream'
  readonly connection: ShownConnection
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

export interface LogoutPage {
  readonly name: 'logout'
  readonly step: 'ask' | 'done'
  readonly returnTo: string | undefined
  readonly user: ShownUser | undefined
}

/** What ends a journey through no choice of anybody: a fault of ours, or more at once than we get done. */
export type Breakdown = 'server_error' | 'temporarily_unavailable'

export interface ErrorPage {
  readonly name: 'error'
  readonly code: FlowErrorCode | Breakdown
  /** A sentence for whoever makes the client; nothing secret. */
  readonly hint?: string | undefined
  readonly next?: FlowNext | undefined
}
