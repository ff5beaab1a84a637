// What an operator wants changed, and the pages that it leads to. Pure.
import { isJsonObject, isString, type JsonValue, stringsOf } from '../lib/json.ts'

export type ConsoleChange =
  | {
      readonly kind: 'merge'
      readonly primaryUserId: string
      readonly secondaryUserId: string
      /** Of the plan that was shown. */
      readonly planHash: string
    }
  | { readonly kind: 'undo'; readonly linkId: string; readonly keepChanges: boolean }
  | {
      /** Two who are not one person, or might be after all. */
      readonly kind: 'apart'
      readonly userIds: readonly [string, string]
      readonly apart: boolean
    }

export function parseConsoleChange(value: JsonValue | undefined): ConsoleChange | undefined {
  if (!isJsonObject(value)) return undefined
  const { kind, primaryUserId, secondaryUserId, planHash, linkId, keepChanges, userIds, apart } = value
  if (kind === 'merge' && isString(primaryUserId) && isString(secondaryUserId) && isString(planHash))
    return { kind, primaryUserId, secondaryUserId, planHash }
  if (kind === 'undo' && isString(linkId)) return { kind, linkId, keepChanges: keepChanges === true }
  const [one, other, ...more] = stringsOf(userIds)
  if (kind === 'apart' && isString(one) && isString(other) && more.length === 0)
    return { kind, userIds: [one, other], apart: apart === true }
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

/** Users who may be one person; or the pairs that are kept separate. */
export const duplicatesPath = ({ kept }: { readonly kept: boolean }): string =>
  kept ? '/console/duplicates?kept=1' : '/console/duplicates'

/** The page that a change came from. */
export function pageOfChange(change: ConsoleChange): string {
  if (change.kind === 'merge') return mergePath(change)
  return change.kind === 'undo' ? undoPath(change.linkId) : duplicatesPath({ kept: !change.apart })
}
