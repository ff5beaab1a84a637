// The pages of a person's own account in every state, with words that a caller chooses.
import { renderAccountActivity } from '../../src/web/pages/account-activity.ts'
import { type AgentView, renderAccountAgents } from '../../src/web/pages/account-agents.ts'
import {
  type AccountConnectionsView,
  type ConnectedView,
  renderAccountConnections,
  type WayView,
} from '../../src/web/pages/account-connections.ts'
import type { ActivityEntry } from '../../src/web/pages/activity-words.ts'
import type { PageFrame } from '../../src/web/pages/layout.ts'
import { renderLinkConfirm } from '../../src/web/pages/link-confirm.ts'
import { renderNotMe, renderNotMeDone } from '../../src/web/pages/not-me.ts'
import { renderReauthenticate } from '../../src/web/pages/reauthenticate.ts'
import type { Sample, SampleWords } from './page-samples.ts'
import { sampleHistory } from './self-samples.ts'

const AT = 1_763_800_000
const DAY = 86_400
const csrf = 'csrf-of-this-browser'

export function accountSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  return [
    ...connectionSamples(frame, words),
    ...agentSamples(frame, words),
    ...activitySamples(frame, words),
    ...proofSamples(frame, words),
  ]
}

const sheet = (frame: PageFrame) => ({
  frame,
  nav: [
    { page: 'account', href: '/account' },
    { page: 'account-connections', href: '/account/connections' },
    { page: 'account-agents', href: '/account/agents' },
    { page: 'account-activity', href: '/account/activity' },
  ] as const,
  signOutUrl: '/oidc/logout',
})

const form = (action: string) => ({ action, csrf })

function connectionSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const [other = '', third = ''] = words.otherProviders
  const way: WayView = {
    kind: 'connection',
    connection: 'google-oauth2',
    displayName: words.provider,
    name: words.nickname,
    address: words.address,
    addedAt: AT - 300 * DAY,
    lastUsedAt: AT,
    identity: 'google-oauth2|1066482910733',
    carriesMain: true,
    isFirst: false,
    isUsable: true,
    remaining: 2,
    agents: [words.app],
    keepsTokens: true,
  }
  const password: WayView = {
    ...way,
    kind: 'password',
    connection: 'passwords',
    name: undefined,
    carriesMain: false,
    isFirst: true,
    agents: [],
    keepsTokens: false,
  }
  const off: WayView = {
    ...way,
    connection: 'github',
    displayName: other,
    isUsable: false,
    lastUsedAt: undefined,
    address: undefined,
    carriesMain: false,
  }
  const account: ConnectedView = {
    id: 'cac_aaaaaaaaaaaaaaaaaaaaaaaa',
    connection: 'google-oauth2',
    displayName: words.provider,
    label: words.account,
    address: words.workAddress,
    connectedAt: AT - 9 * DAY,
    lastUsedAt: AT,
    lastAgent: words.app,
    agents: [words.app, words.publisher],
    isDefault: true,
    hasSiblings: true,
    signsIn: true,
    health: 'ok',
    end: undefined,
    isActive: true,
  }
  const forms = {
    link: form('/account/connections/link'),
    unlink: form('/account/connections/unlink'),
    label: form('/account/connections/label'),
    setDefault: form('/account/connections/default'),
    disconnect: form('/account/connections/disconnect'),
    passkeyLabel: form('/account/connections/passkey-label'),
  }
  const passkey: WayView = {
    ...way,
    kind: 'passkey',
    passkey: 'AbC_1-2',
    name: words.account,
    identity: 'passkey|AbC_1-2',
  }
  const secondStep = { form: form('/account/connections/second-step'), askedPasskeys: undefined, passkeys: 0, codes: 0 }
  const full: AccountConnectionsView = {
    ...sheet(frame),
    secondStep: { ...secondStep, app: AT, askedPasskeys: AT, passkeys: 1, codes: 2 },
    said: { code: 'linked', thing: other },
    ways: [password, way, off, passkey],
    connected: [
      account,
      { ...account, id: 'cac_b', isDefault: false, signsIn: false, agents: [words.app], address: undefined },
      {
        ...account,
        id: 'cac_c',
        connection: 'slack',
        displayName: third,
        health: 'reconnect_required',
        hasSiblings: false,
        agents: [],
        lastUsedAt: undefined,
        lastAgent: undefined,
      },
      { ...account, id: 'cac_d', health: 'provider_unavailable', hasSiblings: false, lastAgent: undefined },
      { ...account, id: 'cac_e', health: 'expiring', end: { at: AT, why: 'consent_ends' } },
    ],
    ending: [
      { id: 'cac_x', name: 'slack', displayName: third, nextTryAt: undefined },
      { id: 'cac_y', name: 'google-oauth2', displayName: words.provider, nextTryAt: AT + 900 },
    ],
    available: [
      { connection: 'linear', displayName: third, purpose: 'agents', hasOne: false },
      { connection: 'apple', displayName: other, purpose: 'sign-in', hasOne: true },
      { connection: 'google-oauth2', displayName: words.provider, purpose: 'both', hasOne: true },
    ],
    history: sampleHistory(words, 'many'),
    find: undefined,
    unproven: false,
    forms,
  }
  const bare = { ...full, said: undefined, connected: [], ending: [], available: [] }
  return [
    { name: 'account-connections', html: renderAccountConnections(full) },
    {
      name: 'account-connections-last',
      html: renderAccountConnections({
        ...bare,
        said: { code: 'last-way', thing: words.provider },
        ways: [{ ...way, remaining: 0 }, off],
      }),
    },
    {
      name: 'account-connections-bare',
      html: renderAccountConnections({
        ...bare,
        ways: [off],
        history: sampleHistory(words, 'none'),
        unproven: true,
        find: words.provider,
      }),
    },
  ]
}

function agentSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const [other = ''] = words.otherProviders
  const agent: AgentView = {
    clientId: 'review-buddy',
    name: words.app,
    description: words.purpose,
    firstParty: true,
    lastUsedAt: AT,
    accounts: [
      { connection: words.provider, label: words.account },
      { connection: other, label: undefined },
    ],
    scopes: ['calendar.read', 'repo', words.scope].map((value) => ({ value })),
    last: { account: { connection: words.provider, label: words.account }, purpose: words.purpose },
    week: [0, 3, 4, 1, 12, 0, 3].map((count, day) => ({ at: AT + (day - 6) * DAY, count })),
    stoppedAt: undefined,
    rules: {
      observed: false,
      connections: [
        {
          connection: words.provider,
          scopes: ['calendar.read', words.scope],
          access: 'proxy',
          methods: ['GET', 'POST'],
        },
        { connection: other, scopes: undefined, access: 'token', methods: undefined },
      ],
      hours: { timeZone: 'Europe/Berlin', days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: 480, to: 1080 },
      perMinute: 30,
      mayConnect: false,
      access: 'proxy',
      approvals: [
        { connection: other, scopes: undefined, methods: ['DELETE'], paths: ['/repos/*/*'], validSeconds: 0 },
        { connection: undefined, scopes: ['calendar.write'], methods: undefined, paths: undefined, validSeconds: 0 },
        { connection: words.provider, scopes: undefined, methods: undefined, paths: undefined, validSeconds: 0 },
      ],
    },
  }
  const quiet: AgentView = {
    ...agent,
    clientId: 'quiet',
    firstParty: false,
    description: undefined,
    lastUsedAt: undefined,
    accounts: [],
    scopes: [],
    last: undefined,
    week: agent.week.map(({ at }) => ({ at, count: 0 })),
    rules: undefined,
  }
  const waiting = { path: '/approve?request=a', name: words.app, askedAt: AT, expiresAt: AT + 300 }
  const forms = { stop: form('/account/agents/stop'), resume: form('/account/agents/resume') }
  const view = {
    ...sheet(frame),
    waiting: [waiting],
    agents: [agent, quiet, { ...agent, clientId: 'stopped', stoppedAt: AT }],
    forms,
  }
  return [
    {
      name: 'account-agents',
      html: renderAccountAgents({ ...view, said: { code: 'agent-stopped', thing: words.app } }),
    },
    { name: 'account-agents-bare', html: renderAccountAgents({ ...view, waiting: [], agents: [] }) },
  ]
}

function activitySamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const used: ActivityEntry = {
    at: AT,
    type: 'vault.exchanged',
    outcome: 'ok',
    by: 'agent',
    agent: words.app,
    connection: words.provider,
    label: words.account,
    purpose: words.purpose,
    reason: undefined,
    times: 3,
  }
  const own: ActivityEntry = { ...used, by: 'you', agent: undefined, purpose: undefined, label: undefined, times: 1 }
  const entries: ActivityEntry[] = [
    used,
    { ...used, outcome: 'refused', reason: 'scope_missing', times: 1 },
    { ...used, outcome: 'refused', reason: 'policy_denied', connection: undefined, purpose: undefined, times: 1 },
    { ...own, type: 'user.signed_in' },
    { ...own, type: 'identity.linked', at: AT - DAY },
    { ...own, type: 'agent.stopped', agent: words.app, at: AT - DAY },
    { ...own, type: 'password.refused', by: 'other', outcome: 'refused', at: AT - DAY },
    { ...own, type: 'vault.token_revoked', by: 'other', at: AT - DAY },
  ]
  const filters = {
    you: false,
    who: [{ value: 'review-buddy', name: words.app, chosen: true }],
    account: [{ value: 'cac_a', name: words.account, chosen: false }],
    outcome: 'ok',
  } as const
  const view = {
    ...sheet(frame),
    entries,
    filters,
    isFiltered: true,
    olderUrl: '/account/activity?before=7',
    newestUrl: '/account/activity',
  }
  return [
    { name: 'account-activity', html: renderAccountActivity(view) },
    {
      name: 'account-activity-bare',
      html: renderAccountActivity({
        ...view,
        entries: [],
        isFiltered: false,
        olderUrl: undefined,
        newestUrl: undefined,
      }),
    },
  ]
}

function proofSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const target = { action: '/u/reauthenticate', state: 'state', csrf }
  const reauthenticate = {
    frame,
    form: target,
    wish: 'unlink',
    minutes: 10,
    user: { name: words.person, address: words.address },
    connections: [{ name: 'google-oauth2', displayName: words.provider }],
    mail: undefined,
    passkey: undefined,
    passkeyRefused: false,
    password: { username: words.address, wrong: false },
  } as const
  const denial = {
    frame,
    form: { action: '/account/not-me', state: 'ticket', csrf },
    denied: { kind: 'added', connection: words.provider },
    at: AT,
  } as const
  return [
    { name: 'reauthenticate', html: renderReauthenticate(reauthenticate) },
    {
      name: 'reauthenticate-wrong',
      html: renderReauthenticate({
        ...reauthenticate,
        connections: [],
        password: { username: words.address, wrong: true },
      }),
    },
    {
      name: 'reauthenticate-none',
      html: renderReauthenticate({
        ...reauthenticate,
        connections: [],
        password: undefined,
        minutes: 1,
        user: { name: words.person, address: undefined },
      }),
    },
    {
      name: 'reauthenticate-mail',
      html: renderReauthenticate({ ...reauthenticate, mail: words.address, passkey: {}, passkeyRefused: true }),
    },
    { name: 'not-me', html: renderNotMe(denial) },
    { name: 'not-me-second-factor', html: renderNotMe({ ...denial, denied: { kind: 'second-factor' } }) },
    { name: 'not-me-joined', html: renderNotMe({ ...denial, denied: { kind: 'joined' } }) },
    {
      name: 'not-me-address',
      html: renderNotMe({ ...denial, denied: { kind: 'address', former: words.address } }),
    },
    { name: 'not-me-done', html: renderNotMeDone(frame) },
    {
      name: 'link-confirm-own',
      html: renderLinkConfirm({
        frame,
        form: { action: '/u/add', state: 'state', csrf },
        user: { name: words.person, address: words.address, ways: [{ kind: 'password' }] },
        account: {
          connection: 'google-oauth2',
          connectionDisplayName: words.provider,
          name: words.account,
          address: words.otherAddress,
        },
        scopes: [{ value: 'calendar.read' }],
        forSignIn: true,
        keepsTokens: true,
        asksThere: true,
        mayChooseAnother: true,
      }),
    },
  ]
}
