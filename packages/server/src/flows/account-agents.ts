// Stopping an agent for oneself, and letting it go on. Seen by the next exchange, whichever node serves it.
import { parseClient } from '../domain/client.ts'
import { backTo, requireOwner } from './account-owner.ts'
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import type { Outcome } from './outcome.ts'

const PAGE = '/account/agents'

/** The agent gets nothing of this person's any more; the accounts stay connected for others. */
export async function stopAgent(
  deps: FlowDeps,
  request: BrowserRequest,
  clientId: string | undefined,
): Promise<Outcome> {
  const { user } = await requireOwner(deps, request)
  const client = clientId === undefined ? undefined : await deps.storage.clients.find(clientId)
  if (client === undefined) return backTo(deps, request, PAGE, { code: 'gone', thing: '' })
  const at = deps.clock()
  await deps.storage.transaction(async (tx) => {
    if (!(await tx.agentStops.put(user.userId, client.clientId, at))) return
    // Neither what it asked nor a yes of before serves it when it may go on.
    await tx.artifacts.deleteOfUser(user.userId, { clientId: client.clientId, kinds: ['UseApproval'] })
    await tx.events.append({
      type: 'agent.stopped',
      at,
      outcome: 'ok',
      userId: user.userId,
      actor: user.userId,
      clientId: client.clientId,
    })
  })
  return backTo(deps, request, PAGE, { code: 'agent-stopped', thing: parseClient(client).name })
}

export async function resumeAgent(deps: FlowDeps, request: BrowserRequest, clientId: string): Promise<Outcome> {
  const { user } = await requireOwner(deps, request)
  const client = await deps.storage.clients.find(clientId)
  await deps.storage.transaction(async (tx) => {
    if (!(await tx.agentStops.delete(user.userId, clientId))) return
    const { userId } = user
    await tx.events.append({ type: 'agent.resumed', at: deps.clock(), outcome: 'ok', userId, actor: userId, clientId })
  })
  const thing = client === undefined ? clientId : parseClient(client).name
  return backTo(deps, request, PAGE, { code: 'agent-resumed', thing })
}
