// What has just happened, said by the page of the account that follows a form.
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { openSealedNotice, type SealedNotice, sealNotice } from './sealed-notice.ts'

/** `thing`: the connection, account, label or agent that it is about, by its name. */
export type AccountNotice = SealedNotice<AccountNoticeCode>

export const ACCOUNT_NOTICES = [
  'linked',
  'already-linked',
  'connected',
  'reconnected',
  'link-denied',
  'not-added',
  'unlinked',
  'last-way',
  'first-way',
  'disconnected',
  'disconnected-typed',
  'labelled',
  'label-bad',
  'default-set',
  'agent-stopped',
  'agent-resumed',
  'sessions-ended',
  'undone',
  'parted',
  'undo-twice',
  'undo-late',
  'undo-last-way',
  'undo-nothing',
  'address-changed',
  'address-taken',
  'address-bad',
  'address-same',
  'name-saved',
  'name-bad',
  'download-ready',
  'second-step-on',
  'second-step-off',
  'passkey-added',
  'passkey-named',
  'passkey-refused',
  'gone',
] as const
export type AccountNoticeCode = (typeof ACCOUNT_NOTICES)[number]

const AREA = 'account-notice'

/** The path of an account page that says it. */
export const withNotice = (deps: FlowDeps, request: BrowserRequest, path: string, notice: AccountNotice): string =>
  `${path}?${sealNotice(deps, request, AREA, notice)}`

/** Undefined when there is none, or none of this browser and moment. */
export const openNotice = (
  deps: FlowDeps,
  request: BrowserRequest,
  said: string | undefined,
): AccountNotice | undefined => openSealedNotice(deps, request, { area: AREA, codes: ACCOUNT_NOTICES, said })
