// Searches over users, as conditions on rows.
import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import { canonicalAddress } from '../../domain/address.ts'
import { PREFIXED_STRATEGIES } from '../../domain/connection.ts'
import { nameKey } from '../../domain/profile.ts'
import type { IdentityTest, TextMatch, UserSearch, UserTest, UserTextField } from '../../domain/search.ts'
import type { Schema } from '../schema.ts'
import type { UserFilter } from '../storage.ts'
import { jsonCondition } from './json-search.ts'
import { type Condition, conditionOf, every, numberCondition, textCondition } from './search.ts'
import type { Builder, Dialect } from './statement.ts'

/** Users for whom the search holds. */
export function usersMatching(q: Builder, dialect: Dialect, search: UserSearch | undefined) {
  const query = q.selectFrom('users')
  return search === undefined ? query : query.where(conditionOf(search, (test) => userCondition(dialect, test)))
}

/** Oldest first unless told otherwise; users without the value come last, and the id settles ties. */
export function orderedUsers<O>(
  query: SelectQueryBuilder<Schema, 'users', O>,
  sort: UserFilter['sort'],
): SelectQueryBuilder<Schema, 'users', O> {
  const { field, descending } = sort ?? { field: 'created_at', descending: false }
  return query
    .orderBy(sql.ref(`users.${field}`), (order) => (descending ? order.desc() : order.asc()).nullsLast())
    .orderBy('users.user_id')
}

function userCondition(dialect: Dialect, test: UserTest): Condition {
  switch (test.on) {
    case 'text':
      return userText(dialect, test.field, test.match)
    case 'name': {
      const key = nameKey(test.beginsWith)
      // A range of the index; no letter is above the last code point.
      return sql`users.name_key >= ${key} and users.name_key < ${`${key}\u{10ffff}`}`
    }
    case 'number':
      return numberCondition(sql.ref(`users.${test.field}`), test.match)
    case 'json':
      return jsonCondition(dialect, sql.ref(`users.${test.field}`), test.path, test.match)
    case 'identity':
      return sql`users.user_id in (select identities.user_id from identities
        inner join connections on connections.id = identities.connection_id
        where ${every(test.tests.map((one) => identityCondition(dialect, one)))})`
  }
}

/** Found however they are written. ASCII alone: the databases differ in what they hold the case of other letters to be. */
const CASELESS: ReadonlySet<UserTextField> = new Set(['email', 'name', 'given_name', 'family_name', 'nickname'])

function userText(dialect: Dialect, field: UserTextField, match: TextMatch): Condition {
  if (field === 'email.domain') return textCondition(dialect, domain(dialect), caseless(match))
  const address = field === 'email' && match.kind === 'is' ? canonicalAddress(match.text) : undefined
  if (address !== undefined) return sql`users.address = ${address}`
  const column = sql.ref<string | null>(`users.${field}`)
  if (!CASELESS.has(field)) return textCondition(dialect, column, match)
  return textCondition(dialect, sql`lower(${column})`, caseless(match))
}

/** What stands behind the `@`, which an address holds once. */
const domain = (dialect: Dialect): RawBuilder<string | null> =>
  dialect === 'sqlite'
    ? sql`substr(users.address, instr(users.address, '@') + 1)`
    : sql`substr(users.address, strpos(users.address, '@') + 1)`

function caseless(match: TextMatch): TextMatch {
  switch (match.kind) {
    case 'is':
      return { kind: 'is', text: lowerAscii(match.text) }
    case 'like':
      return { kind: 'like', parts: match.parts.map(lowerAscii) }
    case 'within': {
      const { from, to } = match
      return {
        kind: 'within',
        ...(from && { from: { ...from, value: lowerAscii(from.value) } }),
        ...(to && { to: { ...to, value: lowerAscii(to.value) } }),
      }
    }
    case 'exists':
      return match
  }
}

const lowerAscii = (text: string): string => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())

function identityCondition(dialect: Dialect, test: IdentityTest): Condition {
  if (test.on === 'json') {
    // The first identity's own profile is not shown, and thus not searched.
    const isLinked = sql<boolean>`exists (select 1 from identities as earlier
      where earlier.user_id = identities.user_id and earlier.position < identities.position)`
    return every([isLinked, jsonCondition(dialect, sql.ref('identities.profile_data'), test.path, test.match)])
  }
  if (test.field === 'connection') return textCondition(dialect, sql.ref('connections.name'), test.match)
  if (test.field === 'provider') return textCondition(dialect, sql.ref('connections.strategy'), test.match)
  // As `identityUserId` has it: a prefixed subject names its connection.
  const prefixed = sql`connections.strategy in (${sql.join([...PREFIXED_STRATEGIES])})`
  if (test.match.kind === 'is') {
    // Not the expression below, which no index knows.
    const [name = '', ...rest] = test.match.text.split('|')
    return sql`(identities.subject = ${test.match.text} and not ${prefixed}
      or identities.subject = ${rest.join('|')} and connections.name = ${name} and ${prefixed})`
  }
  const userId = sql<string>`case when ${prefixed} then connections.name || '|' || identities.subject else identities.subject end`
  return textCondition(dialect, userId, test.match)
}
