// The pages of the operator's console in every state, with words that a caller chooses.
import { LINK_RULES } from '../../src/domain/link-reasons.ts'
import { renderConsoleClosed, renderConsoleEnter } from '../../src/web/pages/console-doors.ts'
import type { LinkView } from '../../src/web/pages/console-links.ts'
import { type ConsoleUserView, PROFILE_FIELDS, renderConsoleUser } from '../../src/web/pages/console-user.ts'
import { renderConsoleHome, renderConsoleUsers, type UserRowView } from '../../src/web/pages/console-users.ts'
import type { PageFrame } from '../../src/web/pages/layout.ts'
import { agentSamples } from './console-agent-samples.ts'
import { pairSamples } from './console-pair-samples.ts'
import { AT, byLink, byUser, csrf, DAY, linkSample } from './console-parts.ts'
import type { Sample, SampleWords } from './page-samples.ts'

export function consoleSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  return [
    ...doorSamples(frame),
    ...userListSamples(frame, words),
    ...userSamples(frame, words),
    ...pairSamples(frame, words),
    ...agentSamples(frame, words),
  ]
}

function doorSamples(frame: PageFrame): readonly Sample[] {
  const form = { action: '/console/enter', state: 'ticket', csrf }
  return [
    { name: 'console-enter', html: renderConsoleEnter({ frame, form }) },
    { name: 'console-closed', html: renderConsoleClosed(frame, 'not-operator') },
    { name: 'console-closed-stale', html: renderConsoleClosed(frame, 'stale') },
  ]
}

function userListSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const user: UserRowView = {
    userId: words.userId,
    name: words.person,
    address: words.address,
    blocked: false,
    createdAt: AT,
    lastLogin: AT + DAY,
    by: { kind: 'address', address: words.address, grade: 3 },
  }
  const found: UserRowView[] = [
    user,
    { ...user, by: { kind: 'user_id' }, blocked: true },
    { ...user, by: { kind: 'retired_id' }, name: undefined, address: undefined, lastLogin: undefined },
    { ...user, by: { kind: 'identity', connection: words.provider, subject: words.account } },
    { ...user, by: { kind: 'name' } },
  ]
  const list = { ...byUser(frame, words), text: undefined, total: 51, olderUrl: undefined, newestUrl: undefined }
  const home = { users: 4812, connections: 3, policy: 'suggest', alike: 3, namesOperators: true } as const
  return [
    { name: 'console-home', html: renderConsoleHome({ ...byUser(frame, words), ...home }) },
    { name: 'console-home-many', html: renderConsoleHome({ ...byUser(frame, words), ...home, alike: undefined }) },
    {
      name: 'console-home-new',
      html: renderConsoleHome({ ...byLink(frame), ...home, alike: 0, namesOperators: false }),
    },
    {
      name: 'console-users',
      html: renderConsoleUsers({
        ...list,
        users: [user],
        olderUrl: '/console/users?page=2',
        newestUrl: '/console/users',
      }),
    },
    { name: 'console-users-found', html: renderConsoleUsers({ ...list, text: words.address, users: found }) },
    { name: 'console-users-none', html: renderConsoleUsers({ ...list, text: words.person, users: [] }) },
    { name: 'console-users-empty', html: renderConsoleUsers({ ...list, total: 0, users: [] }) },
  ]
}

function userSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const link = linkSample(words)
  const added: LinkView = {
    ...link,
    kind: { kind: 'added', connection: words.provider, subject: words.account },
    by: { kind: 'policy' },
    proof: {},
    grades: undefined,
    moved: undefined,
    canUndo: false,
  }
  const [other] = words.otherProviders
  const decision = {
    at: AT,
    connection: words.provider,
    decision: 'create',
    rule: 'S6',
    reason: 'address_new',
    grade: 2,
    policy: 'suggest',
  } as const
  const view: ConsoleUserView = {
    ...byUser(frame, words),
    said: { code: 'merged', thing: words.userId },
    userId: words.userId,
    name: words.person,
    blocked: false,
    createdAt: AT,
    lastLogin: AT,
    loginsCount: 12,
    retiredIds: [words.userId, words.userId],
    identities: [
      { connection: words.provider, subject: words.account, keepsTokens: true, came: { kind: 'first' }, lastLogin: AT },
      {
        connection: other,
        subject: words.account,
        keepsTokens: false,
        came: { kind: 'joined', from: words.userId, rule: 'S2' },
        lastLogin: undefined,
      },
      {
        connection: undefined,
        subject: words.account,
        keepsTokens: false,
        came: { kind: 'added', rule: 'account' },
        lastLogin: AT,
      },
      { connection: other, subject: words.account, keepsTokens: false, came: { kind: 'unknown' }, lastLogin: AT },
    ],
    addresses: [
      {
        address: words.address,
        isMain: true,
        evidence: [
          { grade: 3, source: 'mail', saidAt: AT },
          { grade: 2, source: { connection: words.provider }, saidAt: AT },
          { grade: 3, source: 'operator', saidAt: AT },
        ],
      },
      {
        address: words.otherAddress,
        isMain: false,
        evidence: [
          { grade: 0, source: 'self', saidAt: AT },
          { grade: 1, source: { connection: undefined }, saidAt: AT },
        ],
      },
    ],
    links: [
      link,
      added,
      {
        ...link,
        kind: { kind: 'into', user: words.userId },
        rule: 'of-tomorrow',
        by: { kind: 'console' },
        canUndo: false,
      },
      { ...link, undone: { at: AT, by: { kind: 'console' } }, canUndo: false },
      { ...link, undone: { at: AT, by: undefined }, canUndo: false },
      ...Object.keys(LINK_RULES).map((rule): LinkView => ({ ...added, rule })),
    ],
    totalLinks: 40,
    decisions: [
      decision,
      { ...decision, connection: undefined, decision: 'sign_in', rule: 'S1', reason: 'identity_known', grade: 0 },
    ],
    accounts: [
      {
        id: 'cac_aaaa',
        connection: words.provider,
        label: words.account,
        health: 'ok',
        scopes: [words.scope, 'openid'],
      },
      { id: 'cac_bbbb', connection: undefined, label: words.account, health: 'reconnect_required', scopes: [] },
    ],
    profile: PROFILE_FIELDS.map((field) => ({ field, value: words.nickname })),
    sessions: [
      { startedAt: AT, provenAt: AT, expiresAt: AT + DAY, connection: words.provider },
      { startedAt: AT, provenAt: AT, expiresAt: AT + DAY, connection: undefined },
    ],
    stoppedAgents: 1,
  }
  return [
    { name: 'console-user', html: renderConsoleUser(view) },
    {
      name: 'console-user-bare',
      html: renderConsoleUser({
        ...view,
        ...byLink(frame),
        said: undefined,
        name: undefined,
        blocked: true,
        retiredIds: [],
        lastLogin: undefined,
        identities: [],
        addresses: [],
        links: [],
        totalLinks: 0,
        decisions: [],
        accounts: [],
        profile: [],
        sessions: [],
      }),
    },
  ]
}
