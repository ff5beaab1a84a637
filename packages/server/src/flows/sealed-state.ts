// What a page of the account carries along by itself: sealed for one browser, one area and a while, and kept nowhere.
import { EnvelopeError } from '../crypto/envelope.ts'
import { isJsonObject, type JsonObject } from '../lib/json.ts'
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'

const contextOf = (area: string, { browser }: BrowserRequest): string => `${area}:${browser.hash}`

/** In base64url. */
export function sealState(
  { keyring, clock }: Pick<FlowDeps, 'keyring' | 'clock'>,
  request: BrowserRequest,
  area: string,
  members: JsonObject,
): string {
  const text = JSON.stringify({ ...members, at: clock() })
  return Buffer.from(keyring.seal(contextOf(area, request), Buffer.from(text))).toString('base64url')
}

/** Undefined when it is not of this browser, area and while. */
export function openSealedState(
  { keyring, clock }: Pick<FlowDeps, 'keyring' | 'clock'>,
  request: BrowserRequest,
  { area, state, seconds }: { readonly area: string; readonly state: string | undefined; readonly seconds: number },
): JsonObject | undefined {
  if (state === undefined) return undefined
  try {
    const text = keyring.open(contextOf(area, request), Buffer.from(state, 'base64url')).toString('utf8')
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) && Number(value.at) + seconds > clock() ? value : undefined
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined
    throw error
  }
}
