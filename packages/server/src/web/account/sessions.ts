// The sessions of a person, as their page lists them.
import { parseIdentityKey } from '../../sessions/sessions.ts'
import type { SessionsView } from '../pages/account-sessions.ts'
import { loadNames } from './names.ts'
import { type AccountDeps, accountForm, type Visit } from './page.ts'

/** Nobody looks through more; signing out everywhere else ends the rest, too. */
const MOST = 50

export async function sessionsView(deps: AccountDeps, visit: Visit): Promise<SessionsView> {
  const all = await deps.sessions.listOfUser(visit.user.userId)
  const isThis = ({ uid }: { readonly uid: string }) => uid === visit.session.uid
  const ordered = [...all.filter(isThis), ...all.filter((one) => !isThis(one))]
  const shown = ordered.slice(0, MOST)
  const connectionOf = (key: string | undefined) => (key === undefined ? undefined : parseIdentityKey(key).connectionId)
  const names = await loadNames(deps, {
    connections: shown.flatMap(({ identityKey }) => connectionOf(identityKey) ?? []),
    clients: [],
  })
  return {
    sessions: shown.map((one) => ({
      uid: one.uid,
      isThis: isThis(one),
      browser: one.device?.browser,
      system: one.device?.system,
      since: one.startedAt,
      connection: names.displayName(connectionOf(one.identityKey)),
    })),
    more: ordered.length > shown.length,
    end: accountForm(visit, '/account/sessions/end'),
    endOthers: accountForm(visit, '/account/sessions/end-others'),
  }
}
