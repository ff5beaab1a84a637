// A recorded fact as a sentence for the person it is about.
import type { EpochSeconds } from '../../lib/time.ts'
import { type Html, html } from './html.ts'
import type { PageFrame } from './layout.ts'
import { say } from './locale.ts'
import { said } from './text.ts'

export interface ActivityEntry {
  readonly at: EpochSeconds
  readonly type: ActivityType
  readonly outcome: 'ok' | 'refused'
  /** `agent`: an app or agent, or a client of the operator's; `operator`: in the console; `other`: we, or nobody known. */
  readonly by: 'you' | 'agent' | 'operator' | 'other'
  /** Name of the agent or client. */
  readonly agent: string | undefined
  readonly connection: string | undefined
  readonly label: string | undefined
  readonly purpose: string | undefined
  /** Why it was refused: a code. */
  readonly reason: string | undefined
  /** As many alike one after the other. */
  readonly times: number
}

/** The facts that a person is told. */
export const ACTIVITY_TYPES = [
  'vault.exchanged',
  'vault.proxied',
  'user.signed_in',
  'user.created',
  'user.linked',
  'user.password_reset',
  'password.refused',
  'session.ended',
  'session.step_up_refused',
  'identity.linked',
  'identity.unlinked',
  'link.denied',
  'link.undone',
  'link.refused',
  'user.address_proven',
  'user.address_changed',
  'user.address_restored',
  'user.updated',
  'user.sessions_ended',
  'user.data_downloaded',
  'connected_account.connected',
  'connected_account.disconnected',
  'connected_account.refused',
  'agent.stopped',
  'agent.resumed',
  'approval.allowed',
  'approval.denied',
  'vault.token_revoked',
] as const
export type ActivityType = (typeof ACTIVITY_TYPES)[number]

export function entryWords(frame: PageFrame, entry: ActivityEntry): Html {
  const words = sentence(frame, entry)
  // What was refused is told in sentences.
  const key = entry.outcome === 'ok' ? 'activity.for' : 'activity.for.refused'
  const purposeful =
    entry.purpose === undefined ? words : say(frame, key, { what: words, purpose: said(entry.purpose, 256) })
  return entry.times > 1 ? say(frame, 'activity.times', { what: purposeful, count: entry.times }) : purposeful
}

function sentence(frame: PageFrame, entry: ActivityEntry): Html {
  const { type, outcome } = entry
  const agent = entry.agent ?? (entry.by === 'operator' ? frame.tenantName : undefined)
  const who = agent === undefined ? say(frame, 'activity.you') : said(agent)
  const connection = entry.connection ?? say(frame, 'activity.someone')
  switch (type) {
    case 'vault.exchanged':
    case 'vault.proxied':
      return outcome === 'ok'
        ? say(frame, `activity.${type}`, { who, account: accountOf(frame, entry) })
        : say(frame, 'activity.vault.exchanged.refused', {
            who,
            account: accountOf(frame, entry),
            why: why(frame, entry),
          })
    case 'vault.token_revoked':
      return say(frame, outcome === 'ok' ? 'activity.vault.token_revoked' : 'activity.vault.token_revoked.refused', {
        connection,
      })
    case 'connected_account.connected':
    case 'connected_account.disconnected':
      return say(frame, `activity.${type}`, { who, account: accountOf(frame, entry) })
    case 'user.signed_in':
    case 'identity.linked':
    case 'identity.unlinked':
    case 'connected_account.refused':
      return say(frame, `activity.${type}`, { who, connection })
    case 'link.denied':
    case 'user.address_restored':
    case 'password.refused':
    case 'session.step_up_refused':
      return say(frame, `activity.${type}`)
    default:
      return say(frame, `activity.${type}`, { who })
  }
}

function accountOf(frame: PageFrame, { connection, label }: ActivityEntry): Html {
  if (connection === undefined) return say(frame, 'activity.someone')
  return label === undefined ? html`${said(connection)}` : say(frame, 'agents.account', { connection, label })
}

const WHY = [
  'not_connected',
  'scope_missing',
  'reconnect_required',
  'provider_unavailable',
  'agent_stopped',
  'approval_pending',
  'approval_denied',
  'outside_hours',
  'host_not_allowed',
] as const
const POLICY: ReadonlySet<string> = new Set([
  'policy_denied',
  'client_denied',
  'connection_not_enabled',
  'rate_limited',
])

function why(frame: PageFrame, { reason = '' }: ActivityEntry): Html {
  const known = WHY.find((one) => one === reason)
  if (known !== undefined) return say(frame, `activity.why.${known}`)
  return say(frame, POLICY.has(reason) ? 'activity.why.policy' : 'activity.why.other')
}
