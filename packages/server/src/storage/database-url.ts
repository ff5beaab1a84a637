// The database's URL: `sqlite:PATH`, `sqlite::memory:` or `postgres://…`.

export type DatabaseUrl =
  | { readonly kind: 'file'; readonly path: string }
  /** Empty, and gone when it is closed. */
  | { readonly kind: 'memory' }
  | { readonly kind: 'postgres'; readonly url: string }

/** The URL may hold a password, so that the message does not repeat it. */
export class InvalidDatabaseUrl extends Error {
  readonly code = 'invalid_database_url'
  constructor() {
    super('a database URL is sqlite:PATH or postgres://…')
  }
}

/** @throws {InvalidDatabaseUrl} */
export function parseDatabaseUrl(url: string): DatabaseUrl {
  if (url === 'sqlite::memory:') return { kind: 'memory' }
  if (url.startsWith('sqlite:') && url.length > 'sqlite:'.length) {
    return { kind: 'file', path: url.slice('sqlite:'.length) }
  }
  if (/^postgres(ql)?:\/\//.test(url)) return { kind: 'postgres', url }
  throw new InvalidDatabaseUrl()
}
