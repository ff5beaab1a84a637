/** The people who have accounts at a provider, and what the provider says of them. */
import { createHash } from 'node:crypto'

export interface ProviderUser {
  /** The name that tests and the consent page know them by; never sent. */
  readonly key: string
  /** The stable subject. GitHub-shaped providers write it as a number, with every digit. */
  sub: string
  /** The renameable handle: `login` at GitHub-shaped providers, `preferred_username` elsewhere. */
  login: string
  name: string
  /** Undefined: the provider knows no address. */
  email: string | undefined
  /** Undefined: the provider does not say. */
  emailVerified: boolean | undefined
  picture: string | undefined
  /** Further members of user-info and ID tokens, sent as they are (`hd`, or a lie such as `email_verified: 'true'`). */
  extraClaims: Readonly<Record<string, unknown>>
}

export type UserDetails = Partial<Omit<ProviderUser, 'key'>>

export class UserStore {
  readonly #users = new Map<string, ProviderUser>()
  readonly #defaultSubject: (userKey: string) => string

  /** @param defaultSubject what a user gets who is added without `sub`: the same for the same key, so that a restart changes nobody */
  constructor(defaultSubject: (userKey: string) => string) {
    this.#defaultSubject = defaultSubject
  }

  add(userKey: string, details: UserDetails): ProviderUser {
    const login = userKey.toLowerCase().replace(/[^a-z0-9-]/g, '-')
    const user: ProviderUser = {
      key: userKey,
      sub: this.#defaultSubject(userKey),
      login,
      name: userKey,
      email: `${login}@example.test`,
      emailVerified: true,
      picture: undefined,
      extraClaims: {},
      ...details,
    }
    this.#users.set(userKey, user)
    return user
  }

  find(userKey: string): ProviderUser | undefined {
    return this.#users.get(userKey)
  }

  /** @throws {Error} nobody has that key: a mistake in the test. */
  get(userKey: string): ProviderUser {
    const user = this.#users.get(userKey)
    if (user === undefined) throw new Error(`the provider has no user ${JSON.stringify(userKey)}`)
    return user
  }

  /** The user that a `login_hint` means: key, address, handle or subject. */
  findByHint(hint: string): ProviderUser | undefined {
    return this.list().find((user) => [user.key, user.email, user.login, user.sub].includes(hint))
  }

  list(): readonly ProviderUser[] {
    return [...this.#users.values()]
  }
}

/** A decimal subject of up to `digits` digits that depends on the name alone. */
export function decimalSubject(seed: string, digits: number): string {
  const hash = createHash('sha256').update(seed).digest()
  const number = hash.readBigUInt64BE() * 2n ** 64n + hash.readBigUInt64BE(8)
  const lowest = 10n ** BigInt(digits - 1)
  return String(lowest + (number % (9n * lowest)))
}
