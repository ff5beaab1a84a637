// What an operator wants changed, and the pages that it leads to. Pure.
import { isJsonObject, isString, type JsonValue } from '../lib/json.ts'

export type ConsoleChange =
  | {
      readonly kind: 'merge'
      readonly primaryUserId: string
      readonly secondaryUserId: string
      /** Of the plan that was shown. */
      readonly planHash: string
    }
  | { readonly kind: 'undo'; readonly linkId: string; readonly keepChanges: boolean }

export function parseConsoleChange(value: JsonValue | undefined): ConsoleChange | undefined {
  if (!isJsonObject(value)) return undefined
  const { kind, primaryUserId, secondaryUserId, planHash, linkId, keepChanges } = value
  if (kind === 'merge' && isString(primaryUserId) && isString(secondaryUserId) && isString(planHash))
    return { kind, primaryUserId, secondaryUserId, planHash }
  if (kind === 'undo' && isString(linkId)) return { kind, linkId, keepChanges: keepChanges === true }
  return undefined
}

export const userPath = (userId: string): string => `/console/users/${encodeURIComponent(userId)}`

export const undoPath = (linkId: string): string => `/console/links/${encodeURIComponent(linkId)}/undo`

/** The preview of joining the secondary into the primary. */
export const mergePath = ({
  primaryUserId,
  secondaryUserId,
}: Pick<Extract<ConsoleChange, { kind: 'merge' }>, 'primaryUserId' | 'secondaryUserId'>): string =>
  `/console/merge?${new URLSearchParams({ primary: primaryUserId, secondary: secondaryUserId })}`

/** The page that a change came from. */
export const pageOfChange = (change: ConsoleChange): string =>
  change.kind === 'merge' ? mergePath(change) : undoPath(change.linkId)
