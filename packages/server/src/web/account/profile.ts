// The person's own page: who they are here, and what is known of their addresses.
import { mayLink } from '../../domain/addresses-of-user.ts'
import type { Connection } from '../../domain/connection.ts'
import { connectionSource } from '../../domain/identity-key.ts'
import type { AddressEvidence, User } from '../../domain/user.ts'
import { nameOf } from '../../flows/connect.ts'
import { isPasswordConnection, shownConnection } from '../../flows/connections.ts'
import { type AccountAddress, type AddressProof, renderAccount } from '../pages/account.ts'
import type { Html } from '../pages/html.ts'
import { type AccountDeps, accountForm, accountFrame, type Visit } from './page.ts'
import { sessionsView } from './sessions.ts'

export async function profilePage(deps: AccountDeps, visit: Visit): Promise<Html> {
  const { storage } = deps
  const { user } = visit
  const identities = await storage.identities.listOfUser(user.userId)
  const found = await Promise.all(identities.map(({ connectionId }) => deps.connections.find(storage, connectionId)))
  const connections = found.filter((one) => one !== undefined)
  return renderAccount({
    ...accountFrame(deps, visit),
    verifyForm: mayLink(user) ? undefined : accountForm(visit, '/account/prove'),
    name: nameOf(user),
    nickname: user.profile.nickname,
    userId: user.userId,
    createdAt: user.createdAt,
    addresses: addressesOf(user, await storage.evidence.listOfUser(user.userId), connections),
    ways: connections.map((connection) =>
      isPasswordConnection(connection)
        ? { kind: 'password' }
        : { kind: 'connection', displayName: shownConnection(connection).displayName },
    ),
    sessions: await sessionsView(deps, visit),
    forms: {
      address: accountForm(visit, '/account/address'),
      name: accountForm(visit, '/account/name'),
      download: accountForm(visit, '/account/download'),
    },
  })
}

function addressesOf(
  user: User,
  evidence: readonly AddressEvidence[],
  connections: readonly Connection[],
): readonly AccountAddress[] {
  const addresses = [
    ...new Set([...(user.email === undefined ? [] : [user.email]), ...evidence.map((one) => one.address)]),
  ]
  return addresses.map((address) => {
    const said = evidence.filter((one) => one.address === address)
    return {
      address,
      isMain: address === user.email,
      mayBeProven: address === user.email,
      isProven: said.some((one) => one.grade >= 1),
      evidence: said.flatMap((one) => proofOf(one, connections)),
    }
  })
}

function proofOf(
  { source, grade, saidAt }: AddressEvidence,
  connections: readonly Connection[],
): readonly AddressProof[] {
  if (source === 'mail') return [{ kind: 'mail', at: saidAt }]
  if (source === 'operator' || source === 'self') return [{ kind: source }]
  const connection = connections.find(({ id }) => connectionSource(id) === source)
  if (connection === undefined) return []
  return [{ kind: 'connection', displayName: shownConnection(connection).displayName, vouches: grade >= 1 }]
}
