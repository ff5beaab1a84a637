// `q` and `sort` of the user list (auth0-wire.md §6.1): which fields there are, and what their values mean.

import type { LuceneTerm } from '../../domain/lucene.ts'
import {
  allOf,
  type IdentityTest,
  NOTHING,
  type Search,
  testOf,
  type UserNumberField,
  type UserSearch,
  type UserTest,
  type UserTextField,
} from '../../domain/search.ts'
import type { UserFilter } from '../../storage/storage.ts'
import { invalidQuery } from '../refusal.ts'
import { existing, flagSearch, instantSearch, MAX_PATH, numberSearch, readSearch, textMatch } from './search-values.ts'

/**
 * Users for whom the text holds.
 *
 * @throws {ApiRefusal} 400 `invalid_query_string`: malformed, or more than this search can do. It never guesses.
 */
export const parseUserSearch = (q: string): UserSearch => readSearch(q, meaningOf, withOneIdentity)

const TEXT_FIELDS: ReadonlySet<string> = new Set<UserTextField>([
  'user_id',
  'email',
  'email.domain',
  'name',
  'given_name',
  'family_name',
  'nickname',
  'username',
  'picture',
  'phone_number',
  'last_ip',
])
const NUMBER_FIELDS: Readonly<Record<string, (field: UserNumberField, term: LuceneTerm) => UserSearch>> = {
  created_at: (field, { value }) => instantSearch(value, (match) => testOf({ on: 'number', field, match })),
  updated_at: (field, { value }) => instantSearch(value, (match) => testOf({ on: 'number', field, match })),
  last_login: (field, { value }) => instantSearch(value, (match) => testOf({ on: 'number', field, match })),
  logins_count: (field, { value }) => numberSearch(value, (match) => testOf({ on: 'number', field, match })),
  blocked: (field, { value }) =>
    value.kind === 'exists' ? flagOf(field, 1) : flagSearch(value, (match) => testOf({ on: 'number', field, match })),
  // A user without an address says nothing of it.
  email_verified: (field, { value }) =>
    value.kind === 'exists'
      ? testOf({ on: 'text', field: 'email', match: existing })
      : allOf<UserTest>([
          testOf({ on: 'text', field: 'email', match: existing }),
          flagSearch(value, (match) => testOf({ on: 'number', field, match })),
        ]),
}

const flagOf = (field: UserNumberField, value: number): UserSearch => {
  const bound = { value, inclusive: true }
  return testOf({ on: 'number', field, match: { kind: 'within', from: bound, to: bound } })
}

function meaningOf(term: LuceneTerm): UserSearch {
  const name = term.field.join('.')
  const [first = '', ...path] = term.field
  if (TEXT_FIELDS.has(name)) {
    // The set holds nothing else.
    return testOf({ on: 'text', field: name as UserTextField, match: textMatch(term.value) })
  }
  if (Object.hasOwn(NUMBER_FIELDS, name)) {
    // A key of the table.
    return NUMBER_FIELDS[name]?.(name as UserNumberField, term) ?? NOTHING
  }
  if (first === 'user_metadata' || first === 'app_metadata') return metadataSearch(first, path, term)
  if (first === 'identities') return testOf({ on: 'identity', tests: [identityTest(path, term)] })
  // There are no organizations here, so that nobody is in one.
  if (name === 'organization_id') return NOTHING
  throw unknownField()
}

function metadataSearch(field: 'user_metadata' | 'app_metadata', path: readonly string[], term: LuceneTerm) {
  requirePath(path)
  // Users write theirs themselves, and as much as they like.
  if (field === 'user_metadata' && term.value.kind === 'wildcard')
    throw invalidQuery('The search is not valid: user_metadata takes no wildcards.', 'q')
  return testOf<UserTest>({ on: 'json', field, path, match: textMatch(term.value) })
}

const IDENTITY_FIELDS: Readonly<Record<string, 'connection' | 'provider' | 'identity_user_id'>> = {
  connection: 'connection',
  provider: 'provider',
  user_id: 'identity_user_id',
}

function identityTest([name = '', ...path]: readonly string[], { value }: LuceneTerm): IdentityTest {
  const match = textMatch(value)
  if (name === 'profileData') {
    requirePath(path)
    return { on: 'json', field: 'profile_data', path, match }
  }
  const field = Object.hasOwn(IDENTITY_FIELDS, name) ? IDENTITY_FIELDS[name] : undefined
  if (field === undefined || path.length > 0) throw unknownField()
  return { on: 'text', field, match }
}

function requirePath(path: readonly string[]): void {
  if (path.length === 0 || path.length > MAX_PATH) throw unknownField()
}

/** Tests of identities that AND joins are of one and the same: nobody looks for a provider here and an id there. */
function withOneIdentity(parts: readonly UserSearch[]): readonly UserSearch[] {
  const tests: IdentityTest[] = []
  const others: Search<UserTest>[] = []
  for (const part of parts) {
    if (part.kind === 'test' && part.test.on === 'identity') tests.push(...part.test.tests)
    else others.push(part)
  }
  return tests.length === 0 ? others : [...others, testOf<UserTest>({ on: 'identity', tests })]
}

/** `connection` of the list: the same identity as that of the search, where both say something of one. */
export const withConnection = (search: UserSearch, connection: string): UserSearch => {
  const test = { on: 'text', field: 'connection', match: { kind: 'is', text: connection } } as const
  const parts = search.kind === 'all' ? search.of : [search]
  return allOf(withOneIdentity([...parts, testOf<UserTest>({ on: 'identity', tests: [test] })]))
}

const SORTABLE: ReadonlySet<string> = new Set<NonNullable<UserFilter['sort']>['field']>([
  'created_at',
  'updated_at',
  'last_login',
  'last_ip',
  'logins_count',
  'email',
  'email_verified',
  'blocked',
  'name',
  'given_name',
  'family_name',
  'nickname',
  'username',
  'phone_number',
  'user_id',
])

/** `field:1` or `field:-1`. */
export function parseUserSort(sort: string): NonNullable<UserFilter['sort']> {
  const [, name = '', direction] = /^([a-z_]{1,20}):(1|-1)$/.exec(sort) ?? []
  if (!SORTABLE.has(name)) throw invalidQuery('The sort is not valid: expected a known field with :1 or :-1.', 'sort')
  // The set holds nothing else.
  return { field: name as NonNullable<UserFilter['sort']>['field'], descending: direction === '-1' }
}

const unknownField = () => invalidQuery('The search is not valid: a field is not known.', 'q')
