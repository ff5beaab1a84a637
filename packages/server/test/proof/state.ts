// When two states are the same: equal rows and holdings, but for the names that chance gave. Every table and column counts
// unless it is named here; so that what is forgotten costs time and hides nothing.
import { sha256Base64url, sha256Hex } from '../../src/crypto/hashing.ts'
import { transactionContext } from '../../src/flows/upstream-start.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/lib/json.ts'
import type { Engine } from './engine.ts'
import { keyOf, rowsOf } from './facts.ts'
import type { Row, Tables } from './memory-storage.ts'
import type { People, Who } from './people.ts'

/** Queues, keys, and what only counts or dates: the clock stands still, and nothing is decided by how often. */
const UNSEEN_TABLES = new Set(['mails', 'events', 'limits', 'revocations', 'user_keys'])
const UNSEEN_COLUMNS = new Set(['seq', 'logins_count', 'last_login', 'generation', 'connected_at', 'plan_hash'])
/** Described below instead, by who holds what opens them. */
const HELD_TABLES = new Set([
  'artifacts',
  'upstream_transactions',
  'proofs',
  'meta',
  'link_snapshots',
  'given_user_ids',
])

export function keyOfState(engine: Engine, tables: Tables, people: People): string {
  const chance = namesByChance(tables)
  const lines = [...tableLines(tables), ...metaLines(tables), ...idLines(tables)]
  const snapshots = rowsOf(tables, 'link_snapshots').map((row) => snapshotLine(row, engine))
  const held = JSON.stringify(holdings(engine, tables, people))
  const named = [held, ...lines, ...snapshots].map((line) => nameConnections(engine, line))
  return sha256Base64url(rename(chance, named))
}

/** Ids that say nothing but that two places mean the same. */
function namesByChance(tables: Tables): readonly string[] {
  const names = new Set<string>()
  for (const row of [...rowsOf(tables, 'given_user_ids')]) {
    const id = String(row.user_id)
    const hex = /^auth0\|([0-9a-f]{24})/.exec(id)?.[1]
    if (hex !== undefined) names.add(hex)
    const suffix = /~[a-z0-9]{10}$/.exec(id)?.[0]
    if (suffix !== undefined) names.add(suffix)
  }
  for (const { id } of rowsOf(tables, 'links')) names.add(String(id))
  for (const { id } of rowsOf(tables, 'accounts')) names.add(String(id))
  for (const { kind, uid } of rowsOf(tables, 'artifacts')) if (kind === 'Session') names.add(String(uid))
  for (const { session_uid: uid } of rowsOf(tables, 'upstream_transactions')) if (uid !== null) names.add(String(uid))
  return [...names]
}

/**
 * Lines in an order that does not depend on chance, then each name by its first appearance. Lines that differ by chance
 * alone keep the order that they came in: two equal states may be taken for different ones, never the other way round.
 */
function rename(names: readonly string[], lines: readonly string[]): string {
  const pattern = new RegExp(names.map((name) => name.replaceAll(/[~|]/g, '\\$&')).join('|') || NOTHING, 'g')
  const sorted = lines
    .map((line) => ({ line, masked: line.replaceAll(pattern, '*') }))
    .sort((a, b) => (a.masked < b.masked ? -1 : a.masked > b.masked ? 1 : 0))
  const given = new Map<string, string>()
  return sorted
    .map(({ line }) => line)
    .join('\n')
    .replaceAll(pattern, (name) => {
      const known = given.get(name) ?? `#${given.size}`
      given.set(name, known)
      return known
    })
}

/** Matches no text. */
const NOTHING = '(?!)'

const nameConnections = ({ connectionNames }: Engine, line: string): string =>
  line.replaceAll(/con_\w{16}/g, (id) => connectionNames.get(id) ?? id)

const tableLines = (tables: Tables): readonly string[] =>
  Object.keys(tables)
    .filter((name) => !UNSEEN_TABLES.has(name) && !HELD_TABLES.has(name))
    .flatMap((name) => rowsOf(tables, name).map((row) => lineOf(row, name)))

const lineOf = once((row, name: string) => `${name} ${JSON.stringify(visible(row))}`)

const visible = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).filter(([column, value]) => !UNSEEN_COLUMNS.has(column) && !(value instanceof Uint8Array)),
  )

/** Pairs that stay apart are kept under a hash of the identity. */
function metaLines(tables: Tables): readonly string[] {
  const known = new Map(
    [...rowsOf(tables, 'identities'), ...rowsOf(tables, 'identity_tombstones')].map((row) => {
      const key = keyOf(String(row.connection_id), String(row.subject))
      return [sha256Hex(key), key]
    }),
  )
  return rowsOf(tables, 'meta')
    .filter(({ key }) => String(key).startsWith('separate:'))
    .map(({ key, value }) => {
      const [, hash = '', ...userId] = String(key).split(':')
      return `separate ${known.get(hash) ?? hash} ${userId.join(':')} ${value}`
    })
}

const idLines = (tables: Tables): readonly string[] =>
  rowsOf(tables, 'given_user_ids').map(({ user_id: id }) => `given ${id}`)

const snapshotLine = once(({ link_id: id, envelope }, { deps }: Engine) => {
  // Sealed by the engine a moment ago.
  const text = deps.keyring.open(`link:${id}`, envelope as Uint8Array).toString('utf8')
  const document = JSON.parse(text, (key, value) => (UNSEEN_COLUMNS.has(key) ? undefined : value)) as JsonValue
  return `snapshot ${id} ${JSON.stringify(document)}`
})

/** Sessions, tokens, tickets and journeys, by who holds them: what nobody holds any more opens nothing. */
function holdings(engine: Engine, tables: Tables, people: People): unknown {
  const artifact = (kind: string, hash: string) =>
    rowsOf(tables, 'artifacts').find((row) => row.kind === kind && row.id_hash === hash)
  const session = (who: Who) => {
    const held = people.sessions[who]
    const row = held && artifact('Session', sha256Hex(held.cookie))
    return row && [held.by, row.user_id, row.uid, row.identity_key]
  }
  const app = (who: Who) => {
    const grantId = people.apps[who]?.grantId
    return grantId === undefined ? undefined : artifact('Grant', grantId)?.user_id
  }
  const tickets = (who: Who) =>
    people.tickets[who]
      .map((ticket) => rowsOf(tables, 'proofs').find((row) => row.id_hash === sha256Hex(ticket)))
      .filter((row) => row !== undefined)
      .map((row) => [row.kind, row.user_id, row.address, row.bound_to])
  const both = <T>(look: (who: Who) => T) => [look('victim'), look('attacker')]
  return [
    both(session),
    both(app),
    both(tickets),
    both((who) => journeyOf(engine, tables, people, who)),
    people.byMail,
    people.passedOn,
    people.entered,
  ]
}

function journeyOf(engine: Engine, tables: Tables, people: People, who: Who): unknown {
  const journey = people.journeys[who]
  if (journey === undefined) return undefined
  const { kind, own } = journey
  switch (kind) {
    case 'code':
      return [kind, own, journey.code !== undefined, interaction(engine, tables, journey.uid)]
    case 'mail-code':
      return [kind, own, journey.place, journey.code !== undefined, interaction(engine, tables, journey.uid)]
    case 'address':
      return [
        kind,
        own,
        journey.place,
        journey.code !== undefined,
        waits(tables, journey.uid),
        interaction(engine, tables, journey.uid),
      ]
    case 'question':
      return [
        kind,
        own,
        journey.place,
        journey.question,
        isAsked(tables, journey),
        interaction(engine, tables, journey.uid),
      ]
    case 'answer':
      return [kind, own, journey.place, journey.account, journey.path, transaction(engine, tables, journey.state)]
  }
}

/** Whether nothing has ended the code since it was mailed. */
const waits = (tables: Tables, uid: string): boolean =>
  rowsOf(tables, 'proofs').some(({ id_hash: hash }) => hash === sha256Hex(uid))

/** Whether a proof is still for the arrival for which it was asked; which name that has does not matter. */
function isAsked(
  tables: Tables,
  { uid, proof }: { readonly uid: string; readonly proof: string | undefined },
): unknown {
  const row = interactionRow(tables, uid)
  if (proof === undefined || row === undefined) return proof
  const { pending } = JSON.parse(String(row.payload)) as JsonObject
  return isJsonObject(pending) && pending.id === proof
}

function transaction(engine: Engine, tables: Tables, state: string): unknown {
  const hash = sha256Hex(state)
  const row = rowsOf(tables, 'upstream_transactions').find(({ state_hash: id }) => id === hash)
  if (row === undefined) return undefined
  const uid = continuation(row, engine)
  const { kind, connection_id, browser_hash, session_uid, user_id } = row
  return [kind, connection_id, browser_hash, session_uid, user_id, interaction(engine, tables, uid) ?? uid]
}

const continuation = once(({ state_hash: hash, verifier_envelope: sealed }, { deps }: Engine) => {
  const text = deps.keyring.open(transactionContext(String(hash)), sealed as Uint8Array).toString('utf8')
  return String((JSON.parse(text) as JsonObject).continueWith)
})

function interaction(engine: Engine, tables: Tables, uid: string): unknown {
  const row = interactionRow(tables, uid)
  return row && interactionLine(row, engine)
}

function interactionRow(tables: Tables, uid: string): Row | undefined {
  const hash = sha256Hex(uid)
  return rowsOf(tables, 'artifacts').find(({ kind, id_hash: id }) => kind === 'Interaction' && id === hash)
}

const interactionLine = once(({ id_hash: hash, payload, user_id: userId }, engine: Engine) => {
  const { local, browser, signup, mailCode, pending, returnTo, proof } = JSON.parse(String(payload)) as JsonObject
  const asked = isJsonObject(pending) ? opened(engine, String(hash), pending) : null
  return JSON.stringify([
    userId,
    local,
    browser,
    returnTo,
    awaited(signup),
    isJsonObject(mailCode)
      ? [mailCode.address, mailCode.proves && isJsonObject(pending) && mailCode.proves === pending.id]
      : null,
    asked,
    isJsonObject(proof) ? proof.address : null,
  ])
})

/** A code is right or wrong; which digits it has does not matter. */
const awaited = (signup: JsonValue | undefined): unknown =>
  isJsonObject(signup) ? [signup.address, signup.passwordHash] : undefined

function opened({ deps }: Engine, hash: string, { id: _, arrival, ...pending }: JsonObject): unknown {
  const sealed = isJsonObject(arrival) ? Buffer.from(String(arrival.details), 'base64url') : Buffer.alloc(0)
  return [pending, deps.keyring.open(`arrival:${hash}`, sealed).toString('utf8')]
}

/** What is read from a row is read once: a row that does not change is the same object from state to state. */
function once<A>(read: (row: Row, given: A) => string): (row: Row, given: A) => string {
  const known = new WeakMap<Row, string>()
  return (row, given) => {
    const text = known.get(row) ?? read(row, given)
    known.set(row, text)
    return text
  }
}
