// The management API's search over users, as conditions on rows.
import { type Expression, type ExpressionBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import { PREFIXED_STRATEGIES } from '../../domain/connection.ts'
import type { Schema } from '../schema.ts'
import type { UserFilter } from '../storage.ts'
import type { Builder } from './statement.ts'

type Condition = NonNullable<UserFilter['where']>[number]

/** Users for whom every condition holds; those about identities hold for one and the same identity. */
export function usersMatching(q: Builder, conditions: readonly Condition[]) {
  const ofIdentity = conditions.filter(isAboutIdentity)
  const ofUser = conditions.filter((one) => !isAboutIdentity(one))
  let query = q.selectFrom('users')
  for (const condition of ofUser) query = query.where((eb) => userCondition(eb, condition))
  if (ofIdentity.length > 0) {
    query = query.where('user_id', 'in', (eb) =>
      eb
        .selectFrom('identities')
        .innerJoin('connections', 'connections.id', 'identities.connection_id')
        .select('identities.user_id')
        .where((inner) => inner.and(ofIdentity.map((condition) => identityCondition(inner, condition)))),
    )
  }
  return query
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

const IDENTITY_FIELDS: ReadonlySet<Condition['field']> = new Set(['connection', 'provider', 'identity_user_id'])

const isAboutIdentity = ({ field }: Condition): boolean => IDENTITY_FIELDS.has(field)

function userCondition(eb: ExpressionBuilder<Schema, 'users'>, { field, value }: Condition): Expression<SqlBool> {
  switch (field) {
    case 'email':
      return eb('users.address', '=', value)
    case 'blocked':
    case 'email_verified':
      return eb(`users.${field}`, '=', value === 'true' ? 1 : value === 'false' ? 0 : NEITHER)
    case 'user_id':
    case 'name':
    case 'nickname':
      return eb(`users.${field}`, '=', value)
    default:
      throw new TypeError(`${field} is not a condition on users`)
  }
}

/** What no flag holds, so that a word other than true and false finds nobody. */
const NEITHER = -1

type WithIdentity = ExpressionBuilder<Schema, 'identities' | 'connections'>

function identityCondition(eb: WithIdentity, { field, value }: Condition): Expression<SqlBool> {
  if (field === 'connection') return eb('connections.name', '=', value)
  if (field === 'provider') return eb('connections.strategy', '=', value)
  // The other direction of `identityUserId`: a prefixed subject names its connection.
  const [name = '', ...rest] = value.split('|')
  const prefixed = [...PREFIXED_STRATEGIES]
  return eb.or([
    eb.and([eb('identities.subject', '=', value), eb('connections.strategy', 'not in', prefixed)]),
    eb.and([
      eb('identities.subject', '=', rest.join('|')),
      eb('connections.name', '=', name),
      eb('connections.strategy', 'in', prefixed),
    ]),
  ])
}
