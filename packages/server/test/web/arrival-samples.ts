// The pages of an arriving account in every state, with words that a caller chooses.
import type { PageFrame } from '../../src/web/pages/layout.ts'
import { renderLinkChoose } from '../../src/web/pages/link-choose.ts'
import { renderLinkConflict } from '../../src/web/pages/link-conflict.ts'
import { renderLinkSuggest } from '../../src/web/pages/link-suggest.ts'
import type { MergeSideView } from '../../src/web/pages/merge-parts.ts'
import { type MergePreviewView, renderMergePreview } from '../../src/web/pages/merge-preview.ts'
import type { Sample, SampleWords } from './page-samples.ts'

const AT = 1_700_000_000
const DAY = 86_400
const form = { action: '/u/somewhere', state: 'hKFo2SBWZ1Jz', csrf: 'csrf' }

export function arrivalPages(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const account = { connection: 'code', connectionDisplayName: words.provider, name: words.account }
  const asked = { frame, form, appName: words.app, user: { name: words.person, address: words.address }, account }
  const suggest = { frame, form, address: words.address, account, undoDays: 30 }
  const ways = [
    { method: 'passwords', kind: 'password', displayName: 'passwords' },
    ...words.otherProviders.map((displayName) => ({ method: displayName, kind: 'connection', displayName }) as const),
  ] as const
  return [
    { name: 'link-suggest', html: renderLinkSuggest({ ...suggest, ways }) },
    {
      name: 'link-suggest-wrong',
      html: renderLinkSuggest({ ...suggest, ways, undoDays: 1, problem: 'wrong_account' }),
    },
    { name: 'link-suggest-no-way', html: renderLinkSuggest({ ...suggest, ways: [] }) },
    { name: 'link-choose', html: renderLinkChoose({ ...asked, mayAdd: true }) },
    {
      name: 'link-choose-refused',
      html: renderLinkChoose({ ...asked, appName: undefined, mayAdd: false, problem: 'refused' }),
    },
    { name: 'link-conflict', html: renderLinkConflict({ ...asked, mayContinue: true, mayChooseAnother: false }) },
    {
      name: 'link-conflict-client',
      html: renderLinkConflict({ ...asked, mayContinue: false, mayChooseAnother: true }),
    },
    {
      name: 'link-conflict-password',
      html: renderLinkConflict({
        ...asked,
        account: { ...account, name: words.otherAddress, byPassword: true },
        mayContinue: true,
        mayChooseAnother: false,
        problem: 'wrong_account',
      }),
    },
    { name: 'merge-preview', html: renderMergePreview(mergeView(frame, words)) },
    {
      name: 'merge-preview-stale',
      html: renderMergePreview({
        ...mergeView(frame, words),
        secondary: { ...side(words), side: 'other', mayRemain: false },
        ended: { sessions: 0, apps: 0 },
        rows: [],
        stale: true,
      }),
    },
  ]
}

const side = (words: SampleWords): MergeSideView => ({
  side: 'own',
  mayRemain: true,
  name: words.person,
  address: words.address,
  createdAt: AT,
  lastLogin: AT + DAY,
  ways: [{ kind: 'password' }, { kind: 'connection', displayName: words.provider }],
  accounts: [words.account],
})

const mergeView = (frame: PageFrame, words: SampleWords): MergePreviewView => ({
  frame,
  form,
  primary: side(words),
  secondary: { ...side(words), side: 'other', name: words.nickname, address: words.workAddress, accounts: [] },
  planHash: 'b1946ac92492d2347c6235b4d2611184',
  rows: [
    { group: 'ways', thing: words.provider, outcome: 'kept', why: 'primary_stays' },
    { group: 'ways', thing: words.otherProviders[0] ?? '', outcome: 'moved', why: 'identity_conserved' },
    { group: 'accounts', thing: words.account, outcome: 'moved', why: 'follows_identity' },
    { group: 'accounts', thing: words.account, outcome: 'dropped', why: 'newer_tokenset_stays' },
    { group: 'addresses', thing: words.address, outcome: 'kept', why: 'primary_stays' },
    { group: 'addresses', thing: words.workAddress, outcome: 'moved', why: 'evidence_follows_person' },
    { group: 'addresses', thing: words.otherAddress, outcome: 'dropped', why: 'better_word_counts' },
    { group: 'metadata', thing: words.scope, outcome: 'dropped', why: 'policy_keep_primary' },
    { group: 'metadata', thing: words.scope, outcome: 'merged', why: 'policy_deep_merge' },
    { group: 'metadata', thing: words.scope, outcome: 'dropped', why: 'primary_wins' },
  ],
  ended: { sessions: 2, apps: 1, secondStep: 'gone' },
  undoUntil: AT + 30 * DAY,
  stale: false,
})
