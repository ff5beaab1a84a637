// Links, their plans and the duplicates report as the Management API shows them.
import type { DuplicatesReport } from '../../accounts/duplicates.ts'
import type { MergePreview } from '../../accounts/link.ts'
import { identityUserId } from '../../domain/connection.ts'
import type { Duplicate } from '../../domain/duplicates.ts'
import { explainRule } from '../../domain/link-reasons.ts'
import { describeEnded, describeMergePlan } from '../../domain/merge.ts'
import { CONSOLE_LINK } from '../../domain/operators.ts'
import type { UndoConflict } from '../../domain/unmerge.ts'
import type { JsonObject } from '../../lib/json.ts'
import { type EpochSeconds, toIso } from '../../lib/time.ts'
import type { ConnectionRecord, LinkRecord } from '../../storage/records.ts'
import type { Repositories } from '../../storage/storage.ts'

type Connections = ReadonlyMap<string, ConnectionRecord>

export async function viewLinks(
  repositories: Repositories,
  links: readonly LinkRecord[],
  now: EpochSeconds,
): Promise<readonly JsonObject[]> {
  const ids = links.flatMap(({ identity }) => (identity === undefined ? [] : [identity.connectionId]))
  const connections = await connectionsOf(repositories, ids)
  return links.map((link) => serializeLink(link, connections, now))
}

function serializeLink(link: LinkRecord, connections: Connections, now: EpochSeconds): JsonObject {
  const { secondaryUserId, identity, undoneAt, undoneBy } = link
  return {
    id: link.id,
    primary_user_id: link.primaryUserId,
    ...(secondaryUserId === undefined ? {} : { secondary_user_id: secondaryUserId }),
    ...(identity === undefined ? {} : { identity: nameOf(identity, connections) }),
    by: serializeActor(link),
    rule: link.rule,
    explanation: explainRule(link.rule),
    proof: link.proof,
    plan: link.plan,
    plan_hash: link.planHash,
    created_at: toIso(link.createdAt),
    undo_until: toIso(link.undoUntil),
    can_undo: undoneAt === undefined && link.undoUntil >= now,
    ...(undoneAt === undefined ? {} : { undone_at: toIso(undoneAt) }),
    ...(undoneBy === undefined ? {} : { undone_by: undoneBy }),
  }
}

function serializeActor({ rule, clientId, actor }: LinkRecord): JsonObject {
  if (rule === 'console') return { kind: 'operator', ...(actor === CONSOLE_LINK ? {} : { user_id: actor ?? '' }) }
  return {
    kind: actor !== undefined ? 'user' : clientId !== undefined ? 'client' : 'policy',
    ...(actor === undefined ? {} : { user_id: actor }),
    ...(clientId === undefined ? {} : { client_id: clientId }),
  }
}

/** The plan with what people know its parts by; the caller may read both users, so that nothing is left out. */
export async function viewPreview(
  repositories: Repositories,
  { plan, planHash, primary, secondary }: MergePreview,
): Promise<JsonObject> {
  const accounts = [...primary.accounts, ...secondary.accounts]
  const connections = await connectionsOf(
    repositories,
    [...plan.identities, ...plan.accounts].map(({ connectionId }) => connectionId),
  )
  return {
    ...describeMergePlan(plan),
    plan_hash: planHash,
    identities: plan.identities.map(({ position, from, outcome, why, ...key }) => ({
      ...nameOf(key, connections),
      position,
      from,
      outcome,
      why,
    })),
    connected_accounts: plan.accounts.map(({ id, purpose, connectionId, from, outcome, why, isDefault }) => ({
      id,
      connection: connections.get(connectionId)?.name ?? '',
      label: accounts.find((account) => account.id === id)?.label ?? '',
      purpose,
      is_default: isDefault,
      from,
      outcome,
      why,
    })),
    addresses: plan.addresses.map(({ address, source, grade, from, outcome, why }) => ({
      address,
      source,
      grade,
      from,
      outcome,
      why,
    })),
    user_metadata: plan.userMetadata,
    app_metadata: plan.appMetadata,
    ended: describeEnded(plan.ended),
  }
}

export const serializeConflict = ({
  code,
  connectionId,
  subject,
  accountId,
  key,
  source,
}: UndoConflict): JsonObject => ({
  code,
  ...(connectionId === undefined ? {} : { connection_id: connectionId }),
  ...(subject === undefined ? {} : { subject }),
  ...(accountId === undefined ? {} : { connected_account: accountId }),
  ...(key === undefined ? {} : { key }),
  ...(source === undefined ? {} : { source }),
})

export const serializeDuplicates = ({ duplicates, users, apart }: DuplicatesReport): JsonObject => {
  const of = (match: Duplicate['match']) =>
    duplicates.filter((one) => one.match === match).map((one) => serializeDuplicate(one, users))
  return {
    proven: of('proven'),
    canonical: of('canonical'),
    soft: of('soft'),
    kept_separate: apart.map(({ lesserUserId, greaterUserId }) => [lesserUserId, greaterUserId]),
  }
}

/** The older account is the one to keep (linking.md §4). */
function serializeDuplicate({ reasons, users: held }: Duplicate, users: DuplicatesReport['users']): JsonObject {
  const known = held.flatMap(({ userId, address, grade }) => {
    const user = users.get(userId)
    return user === undefined ? [] : [{ user, address, grade }]
  })
  const oldest = [...known].sort((a, b) => a.user.createdAt - b.user.createdAt)[0]
  return {
    reasons,
    users: known.map(({ user, address, grade }) => ({
      user_id: user.userId,
      ...(user.profile.name === undefined ? {} : { name: user.profile.name }),
      address,
      grade,
      is_primary_address: user.email === address,
      blocked: user.blocked,
      created_at: toIso(user.createdAt),
      ...(user.lastLogin === undefined ? {} : { last_login: toIso(user.lastLogin) }),
    })),
    ...(oldest === undefined ? {} : { suggested_primary_user_id: oldest.user.userId }),
  }
}

function nameOf(
  identity: { readonly connectionId: string; readonly subject: string },
  connections: Connections,
): JsonObject {
  const connection = connections.get(identity.connectionId)
  if (connection === undefined) return { user_id: identity.subject }
  return {
    connection: connection.name,
    provider: connection.strategy,
    user_id: identityUserId(connection, identity.subject),
  }
}

async function connectionsOf(repositories: Repositories, ids: readonly string[]): Promise<Connections> {
  const found = await Promise.all([...new Set(ids)].map((id) => repositories.connections.find(id)))
  return new Map(found.flatMap((one) => (one === undefined ? [] : [[one.id, one] as const])))
}
