// `q` of the clients (auth0-wire.md §6.2): the two searches that Auth0 allows, both of what client grants say of
// organizations, of which there are none here.
import type { LuceneTerm } from '../../domain/lucene.ts'
import { type Search, testOf } from '../../domain/search.ts'
import type { JsonObject } from '../../lib/json.ts'
import { invalidQuery } from '../refusal.ts'
import { readSearch } from './search-values.ts'

/** Of one client: the documents of its grants. */
type GrantTest = (grants: readonly JsonObject[]) => boolean

/** @throws {ApiRefusal} 400 `invalid_query_string`. */
export function parseClientSearch(q: string): (grants: readonly JsonObject[]) => boolean {
  const search = readSearch<GrantTest>(q, meaningOf)
  return (grants) => holds(search, grants)
}

function holds(search: Search<GrantTest>, grants: readonly JsonObject[]): boolean {
  if (search.kind === 'test') return search.test(grants)
  if (search.kind === 'not') return !holds(search.of, grants)
  return search.kind === 'all'
    ? search.of.every((part) => holds(part, grants))
    : search.of.some((part) => holds(part, grants))
}

function meaningOf({ field, value }: LuceneTerm): Search<GrantTest> {
  const name = field.join('.')
  if (value.kind !== 'text') throw invalidQuery('The search is not valid: this field takes whole words.', 'q')
  if (name === 'client_grant.organization_id') return testOf(() => false)
  if (name !== 'client_grant.allow_any_organization')
    throw invalidQuery('The search is not valid: a field is not known.', 'q')
  if (value.text !== 'true' && value.text !== 'false')
    throw invalidQuery('The search is not valid: this field is true or false.', 'q')
  const wanted = value.text === 'true'
  return testOf((grants) => grants.some((grant) => (grant.allow_any_organization === true) === wanted))
}
