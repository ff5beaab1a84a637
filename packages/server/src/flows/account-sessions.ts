// Where a person is signed in: one of these browsers signed out, or all but the one in front of them.
import { transact } from '../accounts/transact.ts'
import { backTo, requireOwner } from './account-owner.ts'
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import type { Outcome } from './outcome.ts'

const PAGE = '/account'

/** Ends one session of theirs; the one that asks is ended by signing out. */
export function endSession(deps: FlowDeps, request: BrowserRequest, uid: string | undefined): Promise<Outcome> {
  return end(deps, request, (own) => (uid === undefined || uid === own ? [] : [uid]))
}

export function endOtherSessions(deps: FlowDeps, request: BrowserRequest): Promise<Outcome> {
  return end(deps, request, (own, all) => all.filter((uid) => uid !== own))
}

async function end(
  deps: FlowDeps,
  request: BrowserRequest,
  choose: (own: string, all: readonly string[]) => readonly string[],
): Promise<Outcome> {
  const { user, session } = await requireOwner(deps, request)
  const { userId } = user
  const all = (await deps.sessions.listOfUser(userId)).map(({ uid }) => uid)
  const ended = await transact(deps.storage, async (tx) => {
    let count = 0
    for (const uid of choose(session.uid, all)) if (await deps.sessions.endOfUser(tx, userId, uid)) count++
    if (count > 0)
      await tx.events.append({
        type: 'user.sessions_ended',
        at: deps.clock(),
        outcome: 'ok',
        userId,
        actor: userId,
        data: { sessions: count },
      })
    return count
  })
  return backTo(deps, request, PAGE, { code: ended > 0 ? 'sessions-ended' : 'gone', thing: String(ended) })
}
