// What a person sees and changes of themselves, in every state, with words that a caller chooses.
import { renderAccountDelete, renderAccountDeleted } from '../../src/web/pages/account-delete.ts'
import { type HistoryView, type LinkView, renderUndoConflicts } from '../../src/web/pages/account-history.ts'
import type { SessionsView, SessionView } from '../../src/web/pages/account-sessions.ts'
import type { PageFrame } from '../../src/web/pages/layout.ts'
import type { Sample, SampleWords } from './page-samples.ts'

const AT = 1_763_800_000
const DAY = 86_400
const csrf = 'csrf-of-this-browser'
const form = (action: string) => ({ action, csrf })
const sheet = (frame: PageFrame) => ({
  frame,
  nav: [
    { page: 'account', href: '/account' },
    { page: 'account-connections', href: '/account/connections' },
  ] as const,
  signOutUrl: '/oidc/logout',
})

export const sampleProfileForms = {
  address: form('/account/address'),
  name: form('/account/name'),
  download: form('/account/download'),
}

const here: SessionView = {
  uid: 'uid-of-this',
  isThis: true,
  browser: 'Firefox',
  system: 'Linux',
  since: AT,
  connection: undefined,
}

/** @param alone this browser is the only one. */
export function sampleSessions(words: SampleWords, alone: boolean): SessionsView {
  const others: readonly SessionView[] = [
    { ...here, uid: 'a', isThis: false, browser: 'Safari', system: 'iPhone', connection: words.provider },
    { ...here, uid: 'b', isThis: false, browser: undefined, since: AT - DAY },
    { ...here, uid: 'c', isThis: false, system: undefined },
    { ...here, uid: 'd', isThis: false, browser: undefined, system: undefined },
  ]
  return {
    sessions: alone ? [here] : [here, ...others],
    more: !alone,
    end: form('/account/sessions/end'),
    endOthers: form('/account/sessions/end-others'),
  }
}

export function sampleHistory(words: SampleWords, links: 'many' | 'none'): HistoryView {
  const link: LinkView = {
    id: 'lnk_aaaaaaaaaaaaaaaaaaaaaaaa',
    kind: 'identity',
    connection: words.provider,
    rule: 'account',
    app: undefined,
    at: AT - DAY,
    undoneAt: undefined,
    undoUntil: AT + 29 * DAY,
    canUndo: true,
  }
  const many: readonly LinkView[] = [
    link,
    { ...link, id: 'lnk_b', kind: 'merge', rule: 'S2' },
    { ...link, id: 'lnk_c', rule: 'client', app: words.app, canUndo: false },
    { ...link, id: 'lnk_d', rule: 'link_with', connection: undefined },
    { ...link, id: 'lnk_e', kind: 'merge', connection: undefined, rule: 'management', undoneAt: AT, canUndo: false },
    { ...link, id: 'lnk_f', kind: 'away', rule: 'S8', undoneAt: AT, canUndo: false },
    { ...link, id: 'lnk_g', rule: 'a rule of tomorrow' },
  ]
  return {
    links: links === 'none' ? [] : many,
    olderUrl: links === 'none' ? undefined : '/account/connections?history=20#history',
    newestUrl: links === 'none' ? undefined : '/account/connections#history',
    undo: form('/account/connections/undo'),
  }
}

export function selfSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const ending = {
    ...sheet(frame),
    form: form('/account/delete'),
    ways: [{ kind: 'password' }, { kind: 'connection', displayName: words.provider, name: words.nickname }],
    connected: [{ connection: words.otherProviders[0] ?? '', label: words.account }],
    agents: [words.app],
    sessions: 3,
  } as const
  const undoing = {
    ...sheet(frame),
    linkId: 'lnk_aaaaaaaaaaaaaaaaaaaaaaaa',
    undo: form('/account/connections/undo'),
    conflicts: [
      { code: 'identity_gone', connection: words.provider, key: undefined },
      { code: 'account_gone', connection: undefined, key: undefined },
      { code: 'metadata_changed', connection: undefined, key: words.scope },
      { code: 'address_withdrawn', connection: undefined, key: undefined },
    ],
  } as const
  return [
    { name: 'account-delete', html: renderAccountDelete(ending) },
    {
      name: 'account-delete-bare',
      html: renderAccountDelete({ ...ending, ways: [{ kind: 'password' }], connected: [], agents: [], sessions: 1 }),
    },
    { name: 'account-deleted', html: renderAccountDeleted(frame) },
    { name: 'account-undo', html: renderUndoConflicts(undoing) },
    { name: 'account-undo-none', html: renderUndoConflicts({ ...undoing, conflicts: [] }) },
  ]
}
