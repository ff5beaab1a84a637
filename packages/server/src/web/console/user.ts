// The page of one user.
import { findMergedInto, listRetiredIds } from '../../accounts/merged-into.ts'
import { keepsSignInTokens } from '../../domain/connection.ts'
import type { Event } from '../../domain/event.ts'
import { connectionSource } from '../../domain/identity-key.ts'
import type { SignInReason } from '../../domain/sign-in.ts'
import { SIGN_IN_REASONS } from '../../domain/sign-in-reasons.ts'
import type { AddressEvidence, Grade, Identity, User } from '../../domain/user.ts'
import { isString } from '../../lib/json.ts'
import { parseIdentityKey } from '../../sessions/sessions.ts'
import type { Artifact, LinkRecord } from '../../storage/records.ts'
import { loadNames, type Names } from '../account/names.ts'
import { LINK_POLICIES } from '../pages/console-simulate.ts'
import {
  type AddressView,
  type DecisionView,
  type IdentityView,
  PROFILE_FIELDS,
  renderConsoleUser,
  type SessionView,
  type Source,
} from '../pages/console-user.ts'
import { brought, linkView } from './links.ts'
import { type Built, type ConsoleDeps, type ConsoleVisit, consoleFrame, recordLook } from './page.ts'
import { foundPage, shownName } from './users.ts'

const SHOWN_LINKS = 20
const SHOWN_DECISIONS = 20
const MAX_RETIRED = 20

/** Of a retired id, the page of whom it led to. */
export async function userPage(deps: ConsoleDeps, visit: ConsoleVisit, userId: string): Promise<Built> {
  const { storage } = deps
  const present = (await storage.users.find(userId)) ? userId : await findMergedInto(storage, userId)
  const user = present === undefined ? undefined : await storage.users.find(present)
  if (user === undefined) return foundPage(deps, visit, userId)
  await recordLook(deps, visit, { type: 'console.user_viewed', userId: user.userId })
  return { html: await userHtml(deps, visit, user) }
}

async function userHtml(deps: ConsoleDeps, visit: ConsoleVisit, user: User) {
  const { storage, clock } = deps
  const { userId } = user
  const [identities, evidence, links, accounts, sessions, stops, retiredIds, own] = await Promise.all([
    storage.identities.listOfUser(userId),
    storage.evidence.listOfUser(userId),
    storage.links.listOfUser(userId, { offset: 0, limit: SHOWN_LINKS }),
    storage.accounts.listOfUser(userId),
    storage.artifacts.listOfUser('Session', userId),
    storage.agentStops.listOfUser(userId),
    listRetiredIds(storage, userId),
    listDecisions(deps, userId),
  ])
  // What was decided before a merge stands under the id of then.
  const before = await Promise.all(retiredIds.slice(0, MAX_RETIRED).map((id) => listDecisions(deps, id)))
  const decided = [...own, ...before.flat()].toSorted((a, b) => b.seq - a.seq).slice(0, SHOWN_DECISIONS)
  const live = sessions.filter(({ expiresAt }) => expiresAt > clock()).toReversed()
  const sources = evidence.flatMap(({ source }) => connectionIdOf(source) ?? [])
  const names = await loadNames(deps, {
    connections: [
      ...[...identities, ...accounts].map(({ connectionId }) => connectionId),
      ...links.items.flatMap(({ identity }) => identity?.connectionId ?? []),
      ...decided.flatMap(({ connectionId }) => connectionId ?? []),
      ...sources,
      ...live.flatMap(({ identityKey }) => (identityKey ? parseIdentityKey(identityKey).connectionId : [])),
    ],
    clients: [],
  })
  return renderConsoleUser({
    ...consoleFrame(deps, visit),
    userId,
    name: shownName(user),
    blocked: user.blocked,
    createdAt: user.createdAt,
    lastLogin: user.lastLogin,
    loginsCount: user.loginsCount,
    retiredIds,
    identities: identities.map((one) => identityView(one, links.items, names)),
    addresses: addressViews(user, evidence, names),
    links: links.items.map((link) => linkView(link, userId, names, clock())),
    totalLinks: links.total,
    decisions: decided.flatMap((event) => decisionView(event, names) ?? []),
    accounts: accounts
      .filter(({ purpose }) => purpose === 'agents')
      .map((account) => ({
        id: account.id,
        connection: names.connection(account.connectionId)?.name,
        label: account.label,
        health: deps.vault.healthOf(account),
        scopes: account.scopesGranted,
      })),
    profile: PROFILE_FIELDS.flatMap((field) => {
      const value = user.profile[field]
      return value === undefined || value === shownName(user) ? [] : [{ field, value }]
    }),
    sessions: live.map((session) => sessionView(session, names)),
    stoppedAgents: [...stops].length,
  })
}

const listDecisions = ({ storage }: ConsoleDeps, userId: string): Promise<readonly Event[]> =>
  storage.events.list({ userId, types: ['sign_in.decided'], descending: true, limit: SHOWN_DECISIONS })

function identityView(identity: Identity, links: readonly LinkRecord[], names: Names): IdentityView {
  const { connectionId, subject, lastLogin } = identity
  const connection = names.connection(connectionId)
  return {
    connection: connection?.name,
    subject,
    keepsTokens: connection !== undefined && keepsSignInTokens(connection),
    came: cameBy(identity, links),
    lastLogin,
  }
}

/** By the newest link that stands. */
function cameBy(
  { userId, connectionId, subject, position }: Identity,
  links: readonly LinkRecord[],
): IdentityView['came'] {
  const link = links.find(
    (one) => one.primaryUserId === userId && one.undoneAt === undefined && brought(one, connectionId, subject),
  )
  if (link === undefined) return { kind: position === 0 ? 'first' : 'unknown' }
  const { secondaryUserId, rule } = link
  return secondaryUserId === undefined ? { kind: 'added', rule } : { kind: 'joined', from: secondaryUserId, rule }
}

function sessionView({ createdAt, expiresAt, identityKey, payload }: Artifact, names: Names): SessionView {
  const connectionId = identityKey === undefined ? undefined : parseIdentityKey(identityKey).connectionId
  const provenAt = typeof payload.loginTs === 'number' ? payload.loginTs : createdAt
  return { startedAt: createdAt, provenAt, expiresAt, connection: names.connection(connectionId)?.name }
}

/** The main address first, then the surest. */
function addressViews({ email }: User, evidence: readonly AddressEvidence[], names: Names): readonly AddressView[] {
  const best = (words: readonly AddressEvidence[]) => Math.max(...words.map(({ grade }) => grade))
  return [...Map.groupBy(evidence, ({ address }) => address)]
    .sort(([a, of], [b, others]) => Number(b === email) - Number(a === email) || best(others) - best(of))
    .map(([address, words]) => ({
      address,
      isMain: address === email,
      evidence: words
        .toSorted((a, b) => b.grade - a.grade || b.saidAt - a.saidAt)
        .map(({ grade, source, saidAt }) => ({ grade, source: sourceView(source, names), saidAt })),
    }))
}

const CONNECTION = connectionSource('')

const connectionIdOf = (source: string): string | undefined =>
  source.startsWith(CONNECTION) ? source.slice(CONNECTION.length) : undefined

export function sourceView(source: string, names: Names): Source {
  if (source === 'mail' || source === 'operator' || source === 'self') return source
  return { connection: names.connection(connectionIdOf(source))?.name }
}

/** Written by the rule table; one of another version that this one does not know is left out. */
function decisionView({ at, connectionId, data = {} }: Event, names: Names): DecisionView | undefined {
  const { decision, rule, reason, grade, policy } = data
  const knownDecision = DECISIONS.find((one) => one === decision)
  const knownPolicy = LINK_POLICIES.find((one) => one === policy)
  if (knownDecision === undefined || knownPolicy === undefined || !isString(rule) || !isReason(reason)) return undefined
  return {
    at,
    connection: names.connection(connectionId)?.name,
    decision: knownDecision,
    rule,
    reason,
    grade: gradeOf(grade),
    policy: knownPolicy,
  }
}

const DECISIONS = ['sign_in', 'conflict', 'refuse', 'ask', 'join', 'suggest', 'create'] as const

const isReason = (value: unknown): value is SignInReason => isString(value) && Object.hasOwn(SIGN_IN_REASONS, value)

const gradeOf = (value: unknown): Grade => ([0, 1, 2, 3] as const).find((one) => one === value) ?? 0
