// What is kept of an account beside its tokens: where its API lives, which sites and workspaces it reaches. Never a token.
import type { JsonObject, JsonValue } from '../lib/json.ts'
import type { ExtraRule } from './catalogue/profile.ts'
import { isLosslessObject, type LosslessValue, toJson, valueAt } from './lossless-json.ts'

const MAX_TEXT_LENGTH = 1024
const MAX_ITEMS = 100

/** What was said where; a source that was not asked is left out. */
export type ExtraSources = Readonly<Partial<Record<ExtraRule['from'], LosslessValue>>>

/** Texts, numbers, flags and lists of them; anything else, or too much of it, is left out. */
export function readExtras(rules: readonly ExtraRule[], sources: ExtraSources): JsonObject {
  const found = rules.flatMap(({ name, from, path }) => {
    const source = sources[from]
    const value = source === undefined ? undefined : plainValue(collect(source, path))
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(found)
}

/** The callback's query as a source. */
export const callbackSource = (answer: URLSearchParams): LosslessValue => Object.fromEntries(answer)

function collect(root: LosslessValue, path: string): LosslessValue | undefined {
  const [before = '', ...after] = path.split(/(?:^|\.)\*\.?/)
  const value = before === '' ? root : valueAt(root, before)
  if (after.length === 0 || value === undefined) return value
  // Array.isArray forgets the element type of a readonly array.
  const list: readonly LosslessValue[] = Array.isArray(value) ? value : []
  return list.slice(0, MAX_ITEMS).flatMap((one) => collect(one, after.join('.')) ?? [])
}

function plainValue(value: LosslessValue | undefined): JsonValue | undefined {
  if (value === undefined || value === null || isLosslessObject(value)) return undefined
  if (!Array.isArray(value)) return isShort(value) ? toJson(value) : undefined
  const items: readonly LosslessValue[] = value
  return items.filter((one) => plainValue(one) !== undefined && !Array.isArray(one)).map(toJson)
}

const isShort = (value: LosslessValue): boolean => typeof value !== 'string' || value.length <= MAX_TEXT_LENGTH
