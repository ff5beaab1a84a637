// Carries out what an operator wants changed, once it is certain that it is they who want it. What is refused leads back
// to its page, which asks the same rules and says why.
import { mergeUsers } from '../accounts/link.ts'
import { undoLink } from '../accounts/link-undo.ts'
import { transact } from '../accounts/transact.ts'
import { pairOf } from '../domain/duplicates.ts'
import { Refusal } from '../domain/errors.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import { actorOf, isFreshOperator, type Operator, requireOperator } from './console-operator.ts'
import { type ConsoleChange, duplicatesPath, pageOfChange, userPath } from './console-wish.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'
import { sealNotice } from './sealed-notice.ts'

export const CONSOLE_NOTICES = ['merged', 'undone', 'removed', 'kept-apart', 'listed-again'] as const
export type ConsoleNoticeCode = (typeof CONSOLE_NOTICES)[number]

/** @throws {FlowError} `access_denied`: no operator any more, or one who came in too long ago. */
export async function carryOutConsole(
  deps: FlowDeps,
  request: BrowserRequest,
  change: ConsoleChange,
): Promise<Outcome> {
  const operator = await requireOperator(deps, request)
  if (!isFreshOperator(deps, operator)) throw new FlowError('access_denied')
  try {
    if (change.kind === 'merge') return await merge(deps, request, operator, change)
    if (change.kind === 'undo') return await undo(deps, request, operator, change)
    return await keepApart(deps, request, operator, change)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const path = pageOfChange(change)
    return lead(request, `${path}${path.includes('?') ? '&' : '?'}stale=1`)
  }
}

async function merge(
  deps: FlowDeps,
  request: BrowserRequest,
  operator: Operator,
  { primaryUserId, secondaryUserId, planHash }: Extract<ConsoleChange, { kind: 'merge' }>,
): Promise<Outcome> {
  const { vault, keyring, notifyLink: notify, settings, clock } = deps
  const actor = actorOf(operator)
  await transact(deps.storage, (tx) =>
    mergeUsers(
      tx,
      { vault, keyring, notify },
      {
        primaryUserId,
        secondaryUserId,
        planHash,
        policy: settings().linking,
        rule: 'console',
        proof: { by: 'operator', operator: actor, authenticated_at: operator.provenAt },
        at: clock(),
        actor,
      },
    ),
  )
  vault.forgetUser(secondaryUserId)
  return backTo(deps, request, userPath(primaryUserId), { code: 'merged', thing: secondaryUserId })
}

async function undo(
  deps: FlowDeps,
  request: BrowserRequest,
  operator: Operator,
  { linkId, keepChanges }: Extract<ConsoleChange, { kind: 'undo' }>,
): Promise<Outcome> {
  const { vault, keyring, notifyLink: notify, clock } = deps
  const actor = actorOf(operator)
  const { link, restoredUserId } = await transact(deps.storage, (tx) =>
    undoLink(tx, { vault, keyring, notify }, { linkId, at: clock(), keepChanges, by: actor, actor }),
  )
  const notice =
    restoredUserId === undefined
      ? ({ code: 'removed', thing: link.identity?.subject ?? '' } as const)
      : ({ code: 'undone', thing: restoredUserId } as const)
  return backTo(deps, request, userPath(link.primaryUserId), notice)
}

/** Remembered, or forgotten. Who is not here, or stands on both sides, is kept apart from nobody. */
async function keepApart(
  deps: FlowDeps,
  request: BrowserRequest,
  operator: Operator,
  { userIds: [one, other], apart }: Extract<ConsoleChange, { kind: 'apart' }>,
): Promise<Outcome> {
  const at = deps.clock()
  const actor = actorOf(operator)
  const pair = pairOf(one, other)
  const page = duplicatesPath({ kept: !apart })
  const changed = await deps.storage.transaction(async (tx) => {
    const users = await Promise.all([tx.users.find(one), tx.users.find(other)])
    if (one === other || users.includes(undefined)) return false
    const isNew = apart ? await tx.apart.put({ ...pair, keptAt: at, keptBy: actor }) : await tx.apart.delete(pair)
    if (!isNew) return true
    const about = { at, outcome: 'ok', userId: one, actor, data: { other_user_id: other } } as const
    await tx.events.append(
      apart ? { type: 'console.users_kept_separate', ...about } : { type: 'console.users_listed_again', ...about },
    )
    return true
  })
  if (!changed) return lead(request, page)
  return backTo(deps, request, page, { code: apart ? 'kept-apart' : 'listed-again', thing: other })
}

const backTo = (
  deps: FlowDeps,
  request: BrowserRequest,
  path: string,
  notice: { readonly code: ConsoleNoticeCode; readonly thing: string },
): Outcome =>
  lead(request, `${path}${path.includes('?') ? '&' : '?'}${sealNotice(deps, request, 'console-notice', notice)}`)

const lead = (request: BrowserRequest, url: string): Outcome => ({
  kind: 'redirect',
  url,
  cookies: withBrowserCookie(request),
})
