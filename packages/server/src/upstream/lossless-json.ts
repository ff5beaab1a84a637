// JSON whose numbers keep their text: an id beyond 2^53 must not become another id (threats T-PRE-09).
import type { JsonObject, JsonValue } from '../lib/json.ts'
import { UpstreamRefused } from './errors.ts'

/** A number as it was written. */
export class NumberText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type LosslessValue = string | boolean | null | NumberText | readonly LosslessValue[] | LosslessObject
export interface LosslessObject {
  readonly [key: string]: LosslessValue
}

/** @throws {UpstreamRefused} `answer_malformed`: not JSON. */
export function parseLossless(text: string): LosslessValue {
  try {
    return JSON.parse(text, keepNumberText)
  } catch (cause) {
    // The parser's message quotes the text, which may hold a token; it is not kept.
    throw new UpstreamRefused('answer_malformed', { detail: cause instanceof RangeError ? 'json_depth' : 'json' })
  }
}

/** @throws {UpstreamRefused} `answer_malformed`: not a JSON object. */
export function parseLosslessObject(text: string): LosslessObject {
  const value = parseLossless(text)
  if (!isLosslessObject(value)) throw new UpstreamRefused('answer_malformed', { detail: 'json_object' })
  return value
}

export function isLosslessObject(value: LosslessValue | undefined): value is LosslessObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText)
}

/** As ordinary JSON; an integer that a double cannot hold becomes a string of its digits. */
export function toJson(value: LosslessValue): JsonValue {
  if (value instanceof NumberText) return toNumber(value)
  if (isArray(value)) return value.map(toJson)
  if (isLosslessObject(value)) return toJsonObject(value)
  return value
}

export function toJsonObject(value: LosslessObject): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toJson(member)]))
}

/** The value at a dotted path (`data.user.id`, `emails.0.value`); own members only. */
export function valueAt(root: LosslessValue, path: string): LosslessValue | undefined {
  let value: LosslessValue | undefined = root
  for (const step of path.replaceAll(/\[(\d+)\]/g, '.$1').split('.')) {
    if (isArray(value)) value = /^\d+$/.test(step) ? value[Number(step)] : undefined
    else if (isLosslessObject(value)) value = Object.hasOwn(value, step) ? value[step] : undefined
    else return undefined
  }
  return value
}

function keepNumberText(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' ? new NumberText(context?.source ?? String(value)) : value
}

function toNumber({ text }: NumberText): JsonValue {
  const value = Number(text)
  const isLost = /^-?\d+$/.test(text) ? !Number.isSafeInteger(value) : !Number.isFinite(value)
  return isLost ? text : value
}

// Array.isArray forgets the element type of a readonly array.
function isArray(value: LosslessValue | undefined): value is readonly LosslessValue[] {
  return Array.isArray(value)
}
