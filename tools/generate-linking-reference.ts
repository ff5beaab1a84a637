// docs/reference/linking.md says what the tables of reasons say: written from them, and checked against them.
import { writeFileSync } from 'node:fs'
import {
  DUPLICATE_REASONS,
  LINK_REFUSALS,
  LINK_RULES,
  PLAN_REASONS,
  UNDO_CONFLICTS,
} from '../packages/server/src/domain/link-reasons.ts'
import { SIGN_IN_CHANGES, SIGN_IN_REASONS, SIGN_IN_RULES } from '../packages/server/src/domain/sign-in-reasons.ts'
import { projectRoot } from './lib/files.ts'

const WRITTEN_BY =
  'Written by `tools/generate-linking-reference.ts` from the tables that the server itself reads. The codes are stable: ' +
  'answers, events and records name them.'

const SIGN_IN =
  'Every sign-in is decided by the first of these rules that fits; the decision is recorded in the event ' +
  '`sign_in.decided` with its rule, its reason and the grades of both sides. `tenon link explain` asks the same ' +
  'function without anybody signing in, and `tenon link simulate` asks it for everybody, under another policy.'

const CHANGES = 'What would have led elsewhere (`otherwise` of `tenon link explain`):'

const PLANS =
  '`POST /api/v2/links/preview` shows what joining two users would do, part by part: `kept`, `moved`, `merged` or ' +
  '`dropped`, each with one of these as `why`.'

const PLAN_HASH =
  'Its `plan_hash` stays the same until something changes that the plan depends on: profile, address, metadata, ' +
  'identities, connected accounts, what is known of addresses, stopped agents, the policy. Sign-ins, refreshed tokens ' +
  'and how many sessions and grants end (all of them do) leave it as it is. `POST /api/v2/links` with that hash does ' +
  'what was shown, or answers 409 `plan_stale`.'

const UNDO =
  '`POST /api/v2/links/{id}/undo` brings the secondary back with its id, profile, metadata, identities and connected ' +
  'accounts, and takes from the primary what it had brought. Sessions do not come back. Where something has changed ' +
  'since, it answers 409 `undo_conflict` with `conflicts`; with `{"keep_changes": true}` what was changed stays, and ' +
  'the rest is undone.'

const DUPLICATES =
  '`GET /api/v2/duplicates` lists users who may be one person: `proven` (several proved the same address), `canonical` ' +
  '(the same address, not proven by all) and `soft` (addresses that are merely alike, which are other mailboxes at most ' +
  'providers, and never lead to a match). Users whom an operator keeps separate in the console are left out, unless ' +
  '`include_kept_separate=true` asks for them; `kept_separate` names the pairs among the users of the page. It reads ' +
  'every address there is, and changes nothing.'

export function renderLinkingReference(): string {
  const blocks = [
    '# Linking',
    WRITTEN_BY,
    '## Signing in',
    SIGN_IN,
    table('rule', SIGN_IN_RULES),
    table('reason', SIGN_IN_REASONS),
    CHANGES,
    table('change', SIGN_IN_CHANGES, sentence),
    '## Rules that a link is made by',
    table('rule', LINK_RULES),
    '## What a merge does',
    PLANS,
    table('why', PLAN_REASONS),
    PLAN_HASH,
    '## What stands in the way',
    table('code', LINK_REFUSALS),
    '## Undoing a link',
    UNDO,
    table('conflict', UNDO_CONFLICTS),
    '## Duplicates',
    DUPLICATES,
    table('reason', DUPLICATE_REASONS),
  ]
  return `${blocks.join('\n\n')}\n`
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

const table = (
  head: string,
  sentences: Readonly<Record<string, string>>,
  write: (text: string) => string = (text) => text,
): string =>
  [
    `| ${head} | meaning |`,
    '| --- | --- |',
    ...Object.entries(sentences).map(([code, text]) => `| \`${code}\` | ${write(text).replaceAll('|', '\\|')} |`),
  ].join('\n')

if (import.meta.main) {
  writeFileSync(`${projectRoot}/docs/reference/linking.md`, renderLinkingReference())
}
