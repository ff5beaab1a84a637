// The console's pages about two users: duplicates, merge, undo, and what a policy would do with them.
import { type DuplicateView, renderConsoleDuplicates } from '../../src/web/pages/console-duplicates.ts'
import { renderConsoleKeptApart } from '../../src/web/pages/console-kept-apart.ts'
import { renderConsoleUndo } from '../../src/web/pages/console-links.ts'
import { type ConsoleMergeView, MERGE_REFUSALS, renderConsoleMerge } from '../../src/web/pages/console-merge.ts'
import { renderConsoleSimulate } from '../../src/web/pages/console-simulate.ts'
import type { PageFrame } from '../../src/web/pages/layout.ts'
import type { MergeSideView } from '../../src/web/pages/merge-parts.ts'
import { AT, byUser, csrf, DAY, linkSample } from './console-parts.ts'
import type { Sample, SampleWords } from './page-samples.ts'

export function pairSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  return [
    ...duplicateSamples(frame, words),
    ...mergeSamples(frame, words),
    ...undoSamples(frame, words),
    ...simulateSamples(frame, words),
  ]
}

function duplicateSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const user = {
    userId: words.userId,
    name: words.person,
    address: words.address,
    grade: 3,
    blocked: false,
    ways: [words.provider, ...words.otherProviders.slice(0, 1)],
    createdAt: AT,
    lastLogin: AT,
  } as const
  const other = { ...user, userId: `${words.userId}-2`, name: undefined, blocked: true, ways: [], lastLogin: undefined }
  const pair: DuplicateView = {
    match: 'proven',
    reasons: ['same_address_proven', 'spelled_differently'],
    users: [user, other],
    suggestedPrimary: user.userId,
  }
  const form = { action: '/console/duplicates', csrf }
  const view = {
    ...byUser(frame, words),
    form,
    kept: 2,
    nextUrl: '/console/duplicates?page=2',
    firstUrl: '/console/duplicates',
  }
  return [
    {
      name: 'console-duplicates',
      html: renderConsoleDuplicates({
        ...view,
        duplicates: [
          pair,
          { ...pair, match: 'canonical', reasons: ['same_address_unproven'], users: [user, { ...other, grade: 0 }] },
          {
            ...pair,
            match: 'soft',
            reasons: ['differs_by_dots', 'differs_by_tag'],
            users: [user, { ...other, address: words.otherAddress, grade: 1 }],
          },
        ],
      }),
    },
    {
      name: 'console-duplicates-none',
      html: renderConsoleDuplicates({ ...view, kept: 0, duplicates: [], nextUrl: undefined, firstUrl: undefined }),
    },
    {
      name: 'console-kept-apart',
      html: renderConsoleKeptApart({
        ...byUser(frame, words),
        form,
        pairs: [
          { users: [user, other], keptAt: AT, keptBy: { kind: 'id', id: words.userId } },
          { users: [other, user], keptAt: AT, keptBy: { kind: 'console' } },
        ],
        total: 2,
        olderUrl: '/console/duplicates?kept=1&page=1',
      }),
    },
    {
      name: 'console-kept-apart-none',
      html: renderConsoleKeptApart({ ...byUser(frame, words), form, pairs: [], total: 0, olderUrl: undefined }),
    },
  ]
}

function mergeSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const side: MergeSideView = {
    side: 'own',
    mayRemain: true,
    name: words.person,
    address: words.address,
    createdAt: AT,
    lastLogin: AT,
    ways: [{ kind: 'password' }, { kind: 'connection', displayName: words.provider }],
    accounts: [words.account],
  }
  const source = { connection: words.provider }
  const rows = [
    row('identities', { kind: 'id', text: words.userId }, 'primary', 'kept', 'primary_stays'),
    row('accounts', { kind: 'name', text: words.account }, 'secondary', 'moved', 'follows_identity'),
    row('addresses', { kind: 'address', address: words.address, source }, 'secondary', 'dropped', 'better_word_counts'),
    row('profile', { kind: 'id', text: 'name' }, 'secondary', 'dropped', 'lives_on_in_identity'),
    row('metadata', { kind: 'id', text: words.scope }, 'secondary', 'merged', 'policy_deep_merge'),
    row('stops', { kind: 'name', text: words.app }, 'secondary', 'moved', 'stopped_stays_stopped'),
  ]
  const view = {
    ...byUser(frame, words),
    pair: { primary: words.userId, secondary: words.userId },
    swapUrl: '/console/merge?primary=b&secondary=a',
  }
  const possible = {
    kind: 'possible',
    form: { action: '/console/merge', csrf },
    primary: side,
    secondary: { ...side, side: 'other', address: undefined, lastLogin: undefined, ways: [], accounts: [] },
    planHash: 'hash',
    rows,
    ended: { sessions: 1, grants: 2, tokens: 3 },
    secondStep: 'replaced',
    undoUntil: AT + 30 * DAY,
    stale: false,
  } as const
  return [
    { name: 'console-merge', html: renderConsoleMerge({ ...view, outcome: possible }) },
    {
      name: 'console-merge-stale',
      html: renderConsoleMerge({
        ...view,
        outcome: { ...possible, stale: true, secondary: { ...possible.secondary, mayRemain: false } },
      }),
    },
    ...MERGE_REFUSALS.map((code) => ({
      name: `console-merge-${code}`,
      html: renderConsoleMerge({ ...view, outcome: { kind: 'refused', code } }),
    })),
  ]
}

type Row = Extract<ConsoleMergeView['outcome'], { kind: 'possible' }>['rows'][number]

const row = (
  group: Row['group'],
  thing: Row['thing'],
  from: Row['from'],
  outcome: Row['outcome'],
  why: Row['why'],
): Row => ({ group, thing, from, outcome, why })

function undoSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const view = {
    ...byUser(frame, words),
    form: { action: '/console/links/lnk_0/undo', csrf },
    link: linkSample(words),
    primaryUserId: words.userId,
    backUrl: '/console/users/a',
    stale: false,
  }
  const possible = {
    kind: 'possible',
    secondaryUserId: words.userId,
    identities: [
      { connection: words.provider, subject: words.account },
      { connection: undefined, subject: words.account },
    ],
    accounts: ['cac_aaaa'],
    revived: [words.account],
    conflicts: [],
  } as const
  const conflicts = [
    { code: 'identity_gone', thing: words.account },
    { code: 'metadata_changed', thing: words.scope },
    { code: 'address_withdrawn', thing: undefined },
  ] as const
  return [
    { name: 'console-undo', html: renderConsoleUndo({ ...view, outcome: possible }) },
    {
      name: 'console-undo-conflicts',
      html: renderConsoleUndo({ ...view, stale: true, outcome: { ...possible, conflicts } }),
    },
    {
      name: 'console-undo-identity',
      html: renderConsoleUndo({
        ...view,
        outcome: { ...possible, secondaryUserId: undefined, accounts: [], revived: [] },
      }),
    },
    {
      name: 'console-undo-refused',
      html: renderConsoleUndo({ ...view, outcome: { kind: 'refused', code: 'undo_expired' } }),
    },
  ]
}

function simulateSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const user = { userId: words.userId, name: words.person }
  const view = { ...byUser(frame, words), present: 'suggest', chosen: 'auto_when_authoritative' } as const
  const found = {
    decision: 'join',
    rule: 'S7',
    connection: words.provider,
    newcomer: user,
    older: { ...user, name: undefined },
  } as const
  return [
    { name: 'console-simulate', html: renderConsoleSimulate({ ...view, result: undefined }) },
    {
      name: 'console-simulate-result',
      html: renderConsoleSimulate({
        ...view,
        result: {
          examined: 5000,
          groups: { from: 101, to: 2400, total: 9000 },
          nextUrl: '/console/simulate?policy=suggest&from=2400',
          firstUrl: '/console/simulate?policy=suggest&from=0',
          isListCut: true,
          outcomes: [
            { decision: 'join', rule: 'S7', reason: 'both_authoritative', count: 4000 },
            { decision: 'suggest', rule: 'S8', reason: 'address_proven_by_another', count: 1000 },
          ],
          found: [found, { ...found, decision: 'suggest', rule: 'S8', connection: undefined }],
        },
      }),
    },
    {
      name: 'console-simulate-none',
      html: renderConsoleSimulate({
        ...view,
        result: {
          examined: 0,
          groups: { from: 1, to: 0, total: 0 },
          nextUrl: undefined,
          firstUrl: undefined,
          isListCut: false,
          outcomes: [],
          found: [],
        },
      }),
    },
  ]
}
