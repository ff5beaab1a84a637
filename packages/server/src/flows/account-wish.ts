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

/** The page that a wish came from, and leads back to. */
export function pageOfWish(wish: AccountWish): string {
  if (wish.kind === 'console') return pageOfChange(wish.change)
  return wish.kind === 'resume-agent' ? '/account/agents' : '/account/connections'
}

export function parseWish(value: JsonValue | undefined): AccountWish | undefined {
  if (!isJsonObject(value)) return undefined
  const { kind, connection, account, identity, client, change: wanted } = value
  if (kind === 'link' && isString(connection))
    return { kind, connection, account: isString(account) ? account : undefined }
  if (kind === 'unlink' && isString(identity)) return { kind, identity }
  if (kind === 'resume-agent' && isString(client)) return { kind, client }
  const change = kind === 'console' ? parseConsoleChange(wanted) : undefined
  return change && { kind: 'console', change }
}
