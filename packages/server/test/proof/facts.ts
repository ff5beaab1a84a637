// What the rows say, read once for each state: who is signed in where, what whom can reach, and by which ways.
import { sha256Hex } from '../../src/crypto/hashing.ts'
import { identityKeyOf } from '../../src/domain/identity-key.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import type { Engine } from './engine.ts'
import type { Row, Tables } from './memory-storage.ts'
import {
  ACCOUNTS,
  type AccountName,
  ADDRESSES,
  accountsOf,
  MAILBOXES,
  PASSWORDS,
  type People,
  type Place,
  type Who,
} from './people.ts'

export interface Identity {
  readonly connection: string
  readonly subject: string
  readonly userId: string
  readonly position: number
  readonly profileData: JsonObject
  /** For one that signs in by password: the address that it does so by, and who knows the password. */
  readonly password: { readonly address: string; readonly knownTo: Who | undefined } | undefined
}

export interface Evidence {
  readonly userId: string
  readonly address: string
  /** `connection:NAME`, `mail`, `operator`. */
  readonly source: string
  readonly grade: number
}

export interface Facts {
  readonly tables: Tables
  readonly people: People
  readonly identities: readonly Identity[]
  readonly evidence: readonly Evidence[]
  readonly connectionNames: ReadonlyMap<string, string>
}

export function factsOf({ connectionNames, passwordBehind }: Engine, tables: Tables, people: People): Facts {
  const nameOf = (id: unknown) => connectionNames.get(String(id)) ?? String(id)
  const identities = rowsOf(tables, 'identities').map((row) => {
    const password = rowsOf(tables, 'passwords').find(
      (one) => one.connection_id === row.connection_id && one.subject === row.subject,
    )
    return {
      connection: nameOf(row.connection_id),
      subject: String(row.subject),
      userId: String(row.user_id),
      position: Number(row.position),
      profileData: JSON.parse(String(row.profile_data)) as JsonObject,
      password: password && {
        address: String(password.address),
        knownTo: knowing(passwordBehind(String(password.hash))),
      },
    }
  })
  const evidence = rowsOf(tables, 'evidence').map((row) => ({
    userId: String(row.user_id),
    address: String(row.address),
    source: String(row.source).replace(/^connection:(.*)$/, (_, id) => `connection:${nameOf(id)}`),
    grade: Number(row.grade),
  }))
  return { tables, people, identities, evidence, connectionNames }
}

export const rowsOf = (tables: Tables, name: string): readonly Row[] => tables[name] ?? []

const knowing = (password: string | undefined): Who | undefined =>
  (['victim', 'attacker'] as const).find((who) => PASSWORDS[who] === password)

/** Who is signed in in a browser: the session stands, and the identity that it came in by is still its user's. */
export function signedIn({ tables, people, identities, connectionNames }: Facts, place: Place): string | undefined {
  const held = people.sessions[place]
  if (held === undefined) return undefined
  const hash = sha256Hex(held.cookie)
  const row = rowsOf(tables, 'artifacts').find(({ kind, id_hash: id }) => kind === 'Session' && id === hash)
  if (row === undefined || !rowsOf(tables, 'users').some(({ user_id: id }) => id === row.user_id)) return undefined
  const userId = String(row.user_id)
  const [connectionId, subject] = splitKey(String(row.identity_key))
  const lives = identities.some(
    (one) => one.userId === userId && one.subject === subject && one.connection === connectionNames.get(connectionId),
  )
  return lives ? userId : undefined
}

function splitKey(key: string): readonly [string, string] {
  const cut = key.indexOf('|')
  return [key.slice(0, cut), key.slice(cut + 1)]
}

/** Whose mailbox this is, as an account that signs in: its subject is the server's keyed name for it. */
const isMailbox = ({ connection, subject }: Identity, who: Who): boolean =>
  connection === MAILBOXES && subject === sha256Hex(`mailbox ${ADDRESSES[who]}`)

export const mailboxOf = ({ identities }: Facts, who: Who): Identity | undefined =>
  identities.find((identity) => isMailbox(identity, who))

/** Users whom somebody can sign in as by an account at a provider, a password or a mailbox of theirs. */
export const enterable = ({ identities, people }: Facts, who: Who): ReadonlySet<string> =>
  new Set(
    identities
      .filter((identity) => {
        const { connection, subject, password } = identity
        if (password !== undefined) return password.knownTo === who
        if (connection === MAILBOXES) return isMailbox(identity, who)
        return accountsOf(who, people).some(
          (name) => ACCOUNTS[name].provider === connection && ACCOUNTS[name].subject === subject,
        )
      })
      .map(({ userId }) => userId),
  )

/** The user whom somebody's app holds a token for, while its grant lives. */
export function appUser({ tables, people }: Facts, who: Who): string | undefined {
  const app = people.apps[who]
  const grant =
    app && rowsOf(tables, 'artifacts').find(({ kind, id_hash: id }) => kind === 'Grant' && id === app.grantId)
  return grant && String(grant.user_id)
}

/** Users of whom somebody holds a session or a token, or whom they can sign in as. */
export function reachable(facts: Facts, who: Who): ReadonlySet<string> {
  const users = new Set(enterable(facts, who))
  for (const place of ['victim', 'attacker'] as const) {
    const userId = facts.people.sessions[place]?.by === who ? signedIn(facts, place) : undefined
    if (userId !== undefined) users.add(userId)
  }
  const byApp = appUser(facts, who)
  return byApp === undefined ? users : users.add(byApp)
}

export const identitiesOf = ({ identities }: Facts, userId: string): readonly Identity[] =>
  identities.filter((one) => one.userId === userId)

export const tombstoned = ({ tables, connectionNames }: Facts, connection: string, subject: string): boolean =>
  rowsOf(tables, 'identity_tombstones').some(
    (row) => row.subject === subject && connectionNames.get(String(row.connection_id)) === connection,
  )

/** The same as the server's own key, over a connection's id. */
export const keyOf = (connectionId: string, subject: string): string => identityKeyOf({ connectionId, subject })

export const identityOf = ({ identities }: Facts, name: AccountName): Identity | undefined =>
  identities.find((one) => one.connection === ACCOUNTS[name].provider && one.subject === ACCOUNTS[name].subject)

export const passwordOf = ({ identities }: Facts, who: Who): Identity | undefined =>
  identities.find(({ password }) => password?.knownTo === who)

export const passwordAt = ({ identities }: Facts, address: string): boolean =>
  identities.some(({ password }) => password?.address === address)

export const emailOf = ({ tables }: Facts, userId: string): unknown =>
  rowsOf(tables, 'users').find((row) => row.user_id === userId)?.email

/** The user that somebody who once had this id is now. */
export function survivor(facts: Facts, userId: string): string {
  const alias = rowsOf(facts.tables, 'user_aliases').find((row) => row.retired_user_id === userId)
  return alias === undefined ? userId : survivor(facts, String(alias.primary_user_id))
}

export interface Link {
  readonly id: string
  /** Undefined: an account was added, and no user retired. */
  readonly secondary: string | undefined
}

/** What was added or joined to a user, and can be taken back. */
export const linksOf = ({ tables }: Facts, userId: string): readonly Link[] =>
  rowsOf(tables, 'links')
    .filter((row) => row.primary_user_id === userId && row.undone_at === null)
    .map(({ id, secondary_user_id: secondary }) => ({
      id: String(id),
      secondary: secondary === null ? undefined : String(secondary),
    }))

export function isOpen(facts: Facts, ticket: string): boolean {
  const { tables } = facts
  const proof = rowsOf(tables, 'proofs').find((row) => row.id_hash === sha256Hex(ticket))
  if (proof?.bound_to === 'address') {
    const email = emailOf(facts, String(proof.user_id))
    return email !== undefined && email !== proof.address
  }
  const link = proof && rowsOf(tables, 'links').find(({ id }) => id === proof.bound_to)
  return link !== undefined && link.undone_at === null
}
