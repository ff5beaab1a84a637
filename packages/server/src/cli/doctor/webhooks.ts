// Every receiver of events: may it be called, and does it take what it is told?
import type { ServerConfig } from '../../config/server-config.ts'
import type { Clock } from '../../lib/time.ts'
import type { Storage } from '../../storage/storage.ts'
import type { WebhookState } from '../../storage/webhook-repository.ts'
import { literalAddressAllowed } from '../../upstream/address-policy.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const HOUR_SECONDS = 3600
const WEEK_SECONDS = 7 * 86_400

export async function examineWebhooks(
  storage: Storage,
  { config, clock }: { readonly config: ServerConfig; readonly clock: Clock },
): Promise<readonly Finding[]> {
  const now = clock()
  const networks = config.dangerouslyAllowUpstreamNetwork
  const receivers = (await storage.webhooks.states()).map((state) => examine(state, networks, now))
  const [lost] = await storage.events.list({ types: ['webhook.abandoned'], descending: true, limit: 1 })
  if (lost === undefined || now - lost.at > WEEK_SECONDS) return receivers
  const { webhook, events, reason } = lost.data ?? {}
  const found = `${events} events for ${webhook} were given up at ${new Date(lost.at * 1000).toISOString()} (${reason})`
  return [...receivers, warn('webhooks', found, 'read what it missed from GET /api/v2/logs')]
}

function examine(state: WebhookState, networks: readonly string[], now: number): Finding {
  const what = `webhook ${new URL(state.url).host}`
  const waiting = `${state.id}, ${state.waiting} waiting`
  if (!literalAddressAllowed(state.url, networks))
    return warn(
      what,
      `${state.id}: an address that is never called`,
      'name its network in --dangerously-allow-upstream-network, if that is meant',
    )
  if (state.failingSince === undefined) return ok(what, waiting)
  const found = `${waiting}, takes nothing since ${new Date(state.failingSince * 1000).toISOString()}: ${state.lastFailure}`
  const mend = 'is it up, and does it answer with 2xx within 10 seconds? After three days events are given up'
  return now - state.failingSince >= HOUR_SECONDS ? fail(what, found, mend) : warn(what, found, mend)
}
