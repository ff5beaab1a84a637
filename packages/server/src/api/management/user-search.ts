// `q` and `sort` of the user list: the part of Auth0's search syntax that is `field:value` joined by AND (auth0-wire.md §6.1).
import { canonicalAddress } from '../../domain/address.ts'
import type { UserFilter } from '../../storage/storage.ts'
import { invalidQuery } from '../refusal.ts'

type Condition = NonNullable<UserFilter['where']>[number]

const FIELDS: Readonly<Record<string, Condition['field']>> = {
  email: 'email',
  user_id: 'user_id',
  name: 'name',
  nickname: 'nickname',
  blocked: 'blocked',
  email_verified: 'email_verified',
  'identities.connection': 'connection',
  'identities.provider': 'provider',
  'identities.user_id': 'identity_user_id',
}

const MAX_TERMS = 20
/** A field, and a phrase in quotes or a word; a backslash takes the meaning from what follows. */
const TERM = /^([A-Za-z_.]{1,40}):(?:"((?:[^"\\]|\\.){1,300})"|((?:[^\s"\\()[\]{}*?^~]|\\.){1,300}))(?:\s+|$)/

/**
 * Conditions that must all hold.
 *
 * @throws {ApiRefusal} 400 `invalid_query_string`: malformed, or more than this search can do. It never guesses.
 */
export function parseUserSearch(q: string): readonly Condition[] {
  const conditions: Condition[] = []
  let rest = q.trim()
  while (rest !== '') {
    const term = TERM.exec(rest)
    const [whole, name = '', phrase, word = ''] = term ?? []
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined
    if (whole === undefined || field === undefined || conditions.length >= MAX_TERMS) throw refused()
    conditions.push({ field, value: conditionValue(field, unescaped(phrase ?? word)) })
    rest = withoutAnd(rest.slice(whole.length))
  }
  return conditions
}

const unescaped = (text: string): string => text.replaceAll(/\\(.)/g, '$1')

const conditionValue = (field: Condition['field'], value: string): string =>
  field === 'email' ? (canonicalAddress(value) ?? value) : value

/** Terms are joined by AND, which must not stand at the end; OR and NOT are not understood and thus refused as terms. */
function withoutAnd(rest: string): string {
  const joined = /^AND\s+(?=\S)/.exec(rest)
  if (joined !== null) return rest.slice(joined[0].length)
  if (rest === '') return rest
  throw refused()
}

const SORTABLE: Readonly<Record<string, NonNullable<UserFilter['sort']>['field']>> = {
  created_at: 'created_at',
  updated_at: 'updated_at',
  last_login: 'last_login',
  email: 'email',
  name: 'name',
  user_id: 'user_id',
}

/** `field:1` or `field:-1`. */
export function parseUserSort(sort: string): NonNullable<UserFilter['sort']> {
  const [, name = '', direction] = /^([a-z_]{1,20}):(1|-1)$/.exec(sort) ?? []
  const field = Object.hasOwn(SORTABLE, name) ? SORTABLE[name] : undefined
  if (field === undefined) throw invalidQuery('The sort is not valid: expected a known field with :1 or :-1.', 'sort')
  return { field, descending: direction === '-1' }
}

const refused = () =>
  invalidQuery('The search is not valid: expected field:value terms of known fields, joined by AND.', 'q')
