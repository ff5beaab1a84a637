// What a mail is about: the templates and what each of them needs to know.
import type { EpochSeconds } from '../lib/time.ts'

/** What a verification code is for; the mail says it, so that nobody reads a code out for something else. */
export type CodePurpose = 'sign-up' | 'address' | 'connect' | 'sign-in' | 'change'

export interface MailValues {
  readonly 'verify-code': {
    readonly tenant: string
    /** Name of the client that the person comes from. */
    readonly app?: string
    readonly purpose: CodePurpose
    /** Six digits, or eight to sign in by. */
    readonly code: string
    /** Fills it in, in the browser that asked. */
    readonly link?: string
    readonly minutes: number
  }
  readonly 'reset-link': { readonly tenant: string; readonly link: string; readonly minutes: number }
  /** An operator asks somebody to show that the address is theirs. */
  readonly 'verify-link': {
    readonly tenant: string
    readonly app?: string
    readonly link: string
    readonly days: number
  }
  /** Somebody signed up over an app's own form. `link` leads to where they choose their password. */
  readonly 'finish-sign-up': { readonly tenant: string; readonly link: string; readonly hours: number }
  /** Somebody signed up with the address of an account that exists. `link` leads to the page for a new password. */
  readonly 'account-exists': { readonly tenant: string; readonly app?: string; readonly link: string }
  /** `link` leads to the page for a new password, should somebody else have changed it. */
  readonly 'password-changed': AccountChange
  /** Two accounts became one. `link` leads to where that is seen, and can be undone. */
  readonly 'accounts-joined': AccountChange
  /** They are two again. */
  readonly 'accounts-parted': AccountChange
  readonly 'sign-in-added': AccountChange
  readonly 'sign-in-removed': AccountChange
  /** An address was proven by a mailed code. */
  readonly 'address-proven': AccountChange
  /** The account goes by another address; the old one is told as well. */
  readonly 'address-changed': AccountChange
  /** The same, to the address that it went by. `link` takes it back. */
  readonly 'address-left': AccountChange
  /** Signing in asks for a second proof. `link` takes it back. */
  readonly 'second-step-added': AccountChange
  readonly 'second-step-removed': AccountChange
  /** Those of before do not work any more. */
  readonly 'recovery-codes-renewed': AccountChange
  /** It is gone, with everything in it. */
  readonly 'account-deleted': AccountChange
  /** An agent asks for a yes. `link` leads to the question, which ends at `until`. */
  readonly 'approval-asked': {
    readonly tenant: string
    readonly app: string
    readonly link: string
    readonly until: EpochSeconds
  }
}

export interface AccountChange {
  readonly tenant: string
  readonly at: EpochSeconds
  readonly link: string
  /** Name of the provider that it is about. */
  readonly connection?: string
}

export type MailTemplate = keyof MailValues

/** One template with its own values. */
export type MailContent = {
  [Template in MailTemplate]: { readonly template: Template; readonly values: MailValues[Template] }
}[MailTemplate]

export type Mail = MailContent & {
  /** Canonical address. */
  readonly to: string
  /** Not sent any more from then on: what it holds has expired. */
  readonly notAfter?: EpochSeconds
}
