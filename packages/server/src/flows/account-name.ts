// The name that pages, apps and agents are told.
import { changeProfile } from '../domain/profile.ts'
import { backTo, requireOwner } from './account-owner.ts'
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'

const PAGE = '/account'
export const NAME_LENGTH = 150

export async function changeName(deps: FlowDeps, request: BrowserRequest, typed: string | undefined): Promise<Outcome> {
  const { user: owner } = await requireOwner(deps, request)
  const name = (typed ?? '').normalize('NFC').replaceAll(/\s+/g, ' ').trim()
  if (!isName(name)) return backTo(deps, request, PAGE, { code: 'name-bad', thing: '' })
  const { userId } = owner
  const at = deps.clock()
  await deps.storage.transaction(async (tx) => {
    const [user] = await tx.users.lock([userId])
    if (user === undefined) throw new FlowError('wrong_user')
    if (user.profile.name === name) return
    await tx.users.replace({ ...user, profile: changeProfile(user.profile, { name }), updatedAt: at })
    const data = { changed: ['name'] }
    await tx.events.append({ type: 'user.updated', at, outcome: 'ok', userId, actor: userId, data })
  })
  return backTo(deps, request, PAGE, { code: 'name-saved', thing: name })
}

/** One line of visible text. */
const isName = (name: string): boolean =>
  name !== '' && [...name].length <= NAME_LENGTH && !/[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Co}]/u.test(name)
