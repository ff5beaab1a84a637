// What a person wants of their account that needs a recent proof of who they are: carried out at once, or after it.
import { isJsonObject, isString, type JsonValue } from '../lib/json.ts'
import { type ConsoleChange, pageOfChange, parseConsoleChange } from './console-wish.ts'

export type AccountWish =
  | { readonly kind: 'link'; readonly connection: string; readonly account: string | undefined }
  /** `provider|user_id`, as in `identities[]`. */
  | { readonly kind: 'unlink'; readonly identity: string }
  | { readonly kind: 'resume-agent'; readonly client: string }
  /** As an operator, of somebody else's account. */
  | { readonly kind: 'console'; readonly change: ConsoleChange }
  /** `keepChanges`: what was changed since stays, and the rest is undone. */
  | { readonly kind: 'undo-link'; readonly link: string; readonly keepChanges: boolean }
  /** As it was typed. */
  | { readonly kind: 'change-address'; readonly address: string }
  /** What is asked for besides a way in. */
  | { readonly kind: 'second-factor'; readonly change: SecondFactorChange }
  | { readonly kind: 'download' }
  | { readonly kind: 'delete-account' }
  /** A client's ticket was opened here; the leg goes on. */
  | { readonly kind: 'connect'; readonly leg: string }
  /** A yes to an agent or a device: to exactly what was shown. */
  | { readonly kind: 'approve'; readonly request: string; readonly shown: string }

export const SECOND_FACTOR_CHANGES = ['add-app', 'remove-app', 'ask-passkey', 'spare-passkey', 'new-codes'] as const
export type SecondFactorChange = (typeof SECOND_FACTOR_CHANGES)[number]

const PAGES: Readonly<Record<Exclude<AccountWish['kind'], 'connect' | 'console' | 'approve'>, string>> = {
  link: '/account/connections',
  unlink: '/account/connections',
  'resume-agent': '/account/agents',
  'undo-link': '/account/connections',
  'second-factor': '/account/connections',
  'change-address': '/account',
  download: '/account',
  'delete-account': '/account/delete',
}

/** The page that a wish came from, and leads back to. */
export function pageOfWish(wish: AccountWish): string {
  if (wish.kind === 'console') return pageOfChange(wish.change)
  if (wish.kind === 'approve') return `/approve?${new URLSearchParams({ request: wish.request })}`
  if (wish.kind !== 'connect') return PAGES[wish.kind]
  return `/connected-accounts/continue?${new URLSearchParams({ leg: wish.leg, answer: 'cancel' })}`
}

export function parseWish(value: JsonValue | undefined): AccountWish | undefined {
  if (!isJsonObject(value)) return undefined
  const {
    kind,
    connection,
    account,
    identity,
    client,
    link,
    keepChanges,
    address,
    leg,
    request,
    shown,
    change: wanted,
  } = value
  if (kind === 'link' && isString(connection))
    return { kind, connection, account: isString(account) ? account : undefined }
  if (kind === 'unlink' && isString(identity)) return { kind, identity }
  if (kind === 'resume-agent' && isString(client)) return { kind, client }
  if (kind === 'undo-link' && isString(link)) return { kind, link, keepChanges: keepChanges === true }
  if (kind === 'change-address' && isString(address)) return { kind, address }
  if (kind === 'connect' && isString(leg)) return { kind, leg }
  if (kind === 'approve' && isString(request) && isString(shown)) return { kind, request, shown }
  if (kind === 'download' || kind === 'delete-account') return { kind }
  if (kind === 'second-factor') {
    const factorChange = SECOND_FACTOR_CHANGES.find((one) => one === wanted)
    return factorChange && { kind, change: factorChange }
  }
  const change = kind === 'console' ? parseConsoleChange(wanted) : undefined
  return change && { kind: 'console', change }
}
