// What a search asks for, apart from how it was written and from how it is answered: tests of values, joined by all, any
// and not.

/** Tests of type `Test`, joined. `all` of nothing holds always, `any` of nothing never. */
export type Search<Test> =
  | { readonly kind: 'all' | 'any'; readonly of: readonly Search<Test>[] }
  | { readonly kind: 'not'; readonly of: Search<Test> }
  | { readonly kind: 'test'; readonly test: Test }

export interface Bound<T> {
  readonly value: T
  readonly inclusive: boolean
}

export interface Range<T> {
  readonly from?: Bound<T>
  readonly to?: Bound<T>
}

/** What a text must be. Order is that of the bytes in UTF-8. */
export type TextMatch =
  | { readonly kind: 'is'; readonly text: string }
  /** The parts in this order, with anything between them. */
  | { readonly kind: 'like'; readonly parts: readonly string[] }
  | ({ readonly kind: 'within' } & Range<string>)
  | { readonly kind: 'exists' }

export type NumberMatch = ({ readonly kind: 'within' } & Range<number>) | { readonly kind: 'exists' }

export type UserTextField =
  | 'user_id'
  | 'email'
  | 'email.domain'
  | 'name'
  | 'given_name'
  | 'family_name'
  | 'nickname'
  | 'username'
  | 'picture'
  | 'phone_number'
  | 'last_ip'
export type UserNumberField = 'email_verified' | 'blocked' | 'created_at' | 'updated_at' | 'last_login' | 'logins_count'

/** A test of one identity. `profile_data` is that of linked ones; the first of a user shows none. */
export type IdentityTest =
  | {
      readonly on: 'text'
      readonly field: 'connection' | 'provider' | 'identity_user_id'
      readonly match: TextMatch
    }
  | { readonly on: 'json'; readonly field: 'profile_data'; readonly path: readonly string[]; readonly match: TextMatch }

export type UserTest =
  | { readonly on: 'text'; readonly field: UserTextField; readonly match: TextMatch }
  /** The name begins so, in capitals or not, in any script; an index finds it. */
  | { readonly on: 'name'; readonly beginsWith: string }
  /** Flags are 0 or 1, instants epoch seconds. */
  | { readonly on: 'number'; readonly field: UserNumberField; readonly match: NumberMatch }
  /** Members along the path; where an array stands, any of its elements. Numbers and flags are tested as they are written. */
  | {
      readonly on: 'json'
      readonly field: 'user_metadata' | 'app_metadata'
      readonly path: readonly string[]
      readonly match: TextMatch
    }
  /** One and the same identity passes all of them. */
  | { readonly on: 'identity'; readonly tests: readonly IdentityTest[] }

export type UserSearch = Search<UserTest>

export type EventTest =
  | {
      readonly on: 'text'
      readonly field: 'type' | 'outcome' | 'user_id' | 'client_id' | 'connection_id'
      readonly match: TextMatch
    }
  | { readonly on: 'number'; readonly field: 'seq' | 'at'; readonly match: NumberMatch }

export type EventSearch = Search<EventTest>

export const EVERYTHING = { kind: 'all', of: [] } as const
export const NOTHING = { kind: 'any', of: [] } as const

export const allOf = <Test>(of: readonly Search<Test>[]): Search<Test> => {
  const [only] = of
  return of.length === 1 && only !== undefined ? only : { kind: 'all', of }
}

export const anyOf = <Test>(of: readonly Search<Test>[]): Search<Test> => {
  const [only] = of
  return of.length === 1 && only !== undefined ? only : { kind: 'any', of }
}

export const testOf = <Test>(test: Test): Search<Test> => ({ kind: 'test', test })

/** Users of whom this field is exactly that; `email` counts in its canonical form. */
export const userField = (field: UserTextField, text: string): UserSearch =>
  testOf({ on: 'text', field, match: { kind: 'is', text } })

/** Users with an identity from this connection. */
export const userOfConnection = (name: string): UserSearch =>
  testOf({ on: 'identity', tests: [{ on: 'text', field: 'connection', match: { kind: 'is', text: name } }] })
