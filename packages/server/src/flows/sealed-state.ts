// What a page of the account carries along by itself: sealed for one browser, one area and a while, and kept nowhere.
import { openNote, sealNote } from '../crypto/sealed-note.ts'
import type { JsonObject } from '../lib/json.ts'
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'

const contextOf = (area: string, { browser }: BrowserRequest): string => `${area}:${browser.hash}`

/** In base64url. */
export const sealState = (
  deps: Pick<FlowDeps, 'keyring' | 'clock'>,
  request: BrowserRequest,
  area: string,
  members: JsonObject,
): string => sealNote(deps, contextOf(area, request), members, deps.clock())

/** Undefined when it is not of this browser, area and while. */
export const openSealedState = (
  deps: Pick<FlowDeps, 'keyring' | 'clock'>,
  request: BrowserRequest,
  { area, state, seconds }: { readonly area: string; readonly state: string | undefined; readonly seconds: number },
): JsonObject | undefined =>
  state === undefined
    ? undefined
    : openNote(deps, contextOf(area, request), { note: state, seconds, now: deps.clock() })
