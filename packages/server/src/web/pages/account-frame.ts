// What the pages of a person's own account have in common.
import type { AccountNoticeCode } from '../../flows/account-notice.ts'
import { notice, type Tone } from './components.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import { type AccountNavItem, type AccountPage, type PageFrame, renderAccountSheet } from './layout.ts'
import { say } from './locale.ts'
import { plainText } from './text.ts'

export interface AccountFrame {
  readonly frame: PageFrame
  readonly nav: readonly AccountNavItem[]
  readonly signOutUrl: string
  /** What has just happened. */
  readonly said?: { readonly code: AccountNoticeCode; readonly thing: string } | undefined
}

const BARE = ['gone', 'second-step-on', 'second-step-off', 'passkey-refused'] as const satisfies AccountNoticeCode[]
const isBare = (code: AccountNoticeCode): code is (typeof BARE)[number] => BARE.some((one) => one === code)

const BAD: ReadonlySet<AccountNoticeCode> = new Set([
  'link-denied',
  'not-added',
  'last-way',
  'first-way',
  'label-bad',
  'undo-twice',
  'undo-late',
  'undo-last-way',
  'undo-nothing',
  'address-taken',
  'address-bad',
  'address-same',
  'name-bad',
  'passkey-refused',
  'gone',
])

/** The page's heading, one soft line under it, and before both what has just happened. */
export function accountHeading(view: AccountFrame, title: HtmlValue, lead?: HtmlValue): Html {
  return html`${accountNotice(view)}
<div><h1>${title}</h1>${lead !== undefined && html`<p class="soft">${lead}</p>`}</div>`
}

/** What has just happened, where something has. */
export function accountNotice({ frame, said }: AccountFrame): Html | undefined {
  const tone: Tone = said !== undefined && BAD.has(said.code) ? 'warn' : 'ok'
  return said && notice(words(frame, said), { tone, announce: true })
}

function words(frame: PageFrame, { code, thing }: NonNullable<AccountFrame['said']>): Html {
  if (isBare(code)) return say(frame, `account-notice.${code}`)
  return say(frame, `account-notice.${code}`, { thing: plainText(thing) })
}

export const renderAccountPage = (
  { frame, nav, signOutUrl }: AccountFrame,
  { page, title, content }: { page: AccountPage; title: string; content: Html },
): Html => renderAccountSheet(frame, { page, title, nav, signOutUrl, content })
