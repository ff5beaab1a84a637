// The console's pages of agents and of accounts that end.
import type { PolicyDecision } from '../../src/domain/agent-policy.ts'
import { type ConsoleAgentView, renderConsoleAgent, renderConsoleAgents } from '../../src/web/pages/console-agents.ts'
import { renderConsoleEndings } from '../../src/web/pages/console-endings.ts'
import type { PageFrame } from '../../src/web/pages/layout.ts'
import { AT, byLink, byUser, DAY } from './console-parts.ts'
import type { Sample, SampleWords } from './page-samples.ts'

export function agentSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  return [...listSamples(frame, words), ...oneSamples(frame, words), ...endingSamples(frame, words)]
}

const counts = { people: 1200, uses: 9000, refused: 12, observed: 3, lastAt: AT }
const unused = { people: 0, uses: 0, refused: 0, observed: 0, lastAt: undefined }

function listSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const agent = { clientId: 'agent-a', name: words.app, policy: 'observe', ...counts } as const
  return [
    {
      name: 'console-agents',
      html: renderConsoleAgents({
        ...byUser(frame, words),
        agents: [agent, { ...agent, policy: 'enforce', observed: 0 }, { ...agent, policy: 'none', ...unused }],
        nextUrl: '/console/agents?page=2',
        firstUrl: '/console/agents',
      }),
    },
    {
      name: 'console-agents-none',
      html: renderConsoleAgents({ ...byLink(frame), agents: [], nextUrl: undefined, firstUrl: undefined }),
    },
  ]
}

const refuse: PolicyDecision = { kind: 'refuse', rule: 'P1', reason: 'connection_not_in_policy', evidence: {} }
const allow: PolicyDecision = { kind: 'allow', rule: 'P9', evidence: {} }

function oneSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const user = { userId: words.userId, name: words.person }
  const approval = {
    connection: words.provider,
    scopes: [words.scope],
    methods: ['DELETE'],
    paths: ['/repos/*/*'],
    validSeconds: 0,
  }
  const view: ConsoleAgentView = {
    ...byUser(frame, words),
    clientId: 'agent-a',
    name: words.app,
    policy: 'observe',
    rules: {
      observed: true,
      connections: [{ connection: words.provider, scopes: [words.scope], access: 'proxy', methods: ['GET'] }],
      hours: { timeZone: 'Europe/Berlin', days: ['mon', 'tue'], from: 480, to: 1080 },
      perMinute: 30,
      mayConnect: false,
      access: 'proxy',
      approvals: [approval],
    },
    enabled: [words.provider, ...words.otherProviders],
    ...counts,
    refusals: [
      { codes: 'policy_denied outside_hours P2', count: 7, lastAt: AT },
      { codes: 'client_denied', count: 5, lastAt: AT },
    ],
    observations: [{ codes: 'connection_not_in_policy', count: 3, lastAt: AT }],
    trial: { text: '{ "mode": "observe" }' },
  }
  const changed = { at: AT, user, connection: words.provider, was: 'ok', decision: refuse } as const
  const result = {
    examined: 9012,
    outcomes: [
      { decision: allow, count: 9000 },
      { decision: refuse, count: 11 },
      { decision: { kind: 'ask', rule: 'P8', evidence: {}, approval } as const, count: 1 },
    ],
    changed: [
      { ...changed, what: { kind: 'call', call: 'GET /repos/{}/{}' } as const },
      { ...changed, what: { kind: 'token' } as const, connection: undefined },
      { ...changed, what: { kind: 'connect' } as const, was: 'refused', decision: allow } as const,
    ],
    total: 60,
  }
  const bare = { ...view, ...unused, refusals: [], observations: [] }
  return [
    { name: 'console-agent', html: renderConsoleAgent(view) },
    { name: 'console-agent-tried', html: renderConsoleAgent({ ...view, trial: { text: '{}', result } }) },
    {
      name: 'console-agent-wrong',
      html: renderConsoleAgent({ ...bare, trial: { text: '{', problem: '/rate: what is wrong; what is right' } }),
    },
    { name: 'console-agent-new', html: renderConsoleAgent({ ...bare, policy: 'none', rules: undefined, enabled: [] }) },
  ]
}

function endingSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const account = {
    user: { userId: words.userId, name: words.person },
    connection: words.provider,
    label: words.account,
    purpose: 'agents',
    endsAt: AT + DAY,
    why: 'consent_ends',
    lastUsedAt: AT,
  } as const
  const view = { ...byUser(frame, words), days: 30 }
  return [
    {
      name: 'console-endings',
      html: renderConsoleEndings({
        ...view,
        total: 300,
        counts: [
          { connection: words.provider, count: 299 },
          { connection: undefined, count: 1 },
        ],
        accounts: [
          account,
          { ...account, purpose: 'sign_in', why: 'not_renewable', lastUsedAt: undefined },
          { ...account, connection: undefined, why: 'key_ends' },
        ],
      }),
    },
    { name: 'console-endings-none', html: renderConsoleEndings({ ...view, total: 0, counts: [], accounts: [] }) },
  ]
}
