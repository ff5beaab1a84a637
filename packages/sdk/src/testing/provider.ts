/** A provider that runs: what tests turn, read and stop. */
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import { type ApiRoute, apiHandler, whoami } from './api.ts'
import { STYLESHEET_PATH, stylesheet } from './consent-style.ts'
import { GrantStore, type IssuedSecret } from './grants.ts'
import { close, type Fields, type Json, listen } from './http.ts'
import { type CallFilter, type Endpoint, Journal, type LogEntry } from './journal.ts'
import { createSigningKey, KeyRing, type SigningAlgorithm } from './keys.ts'
import { type FailOptions, type HangOptions, Knobs } from './knobs.ts'
import {
  type Behaviour,
  behaviourOf,
  type ProviderOptions,
  type RefreshPolicy,
  type RevocationEnds,
  type Rotation,
  type Tampering,
  withoutLies,
} from './options.ts'
import { serve } from './serve.ts'
import type { ProviderKind, Route, Shape } from './shape.ts'
import { type ProviderUser, type UserDetails, UserStore } from './users.ts'

/** An app that is registered at the provider. */
export interface ProviderClient {
  readonly id: string
  readonly secret: string
  /** The name that the consent page shows. */
  readonly name: string
}

export interface MintedTokens {
  readonly accessToken: string
  readonly refreshToken: string | undefined
}

interface Parts {
  readonly shape: Shape
  readonly options: ProviderOptions
  readonly defaults: Partial<Behaviour>
  readonly keys: KeyRing | undefined
  readonly server: Server
  readonly url: string
}

/** Starts a provider of `shape`; `defaults` are what this kind does when `options` are silent. */
export async function startProvider(setup: {
  readonly shape: Shape
  readonly options: ProviderOptions
  readonly defaults?: Partial<Behaviour>
  readonly alg?: SigningAlgorithm
}): Promise<Provider> {
  const { shape, options, defaults = {}, alg } = setup
  const keys = alg === undefined ? undefined : new KeyRing(await createSigningKey(alg))
  const { server, url } = await listen(options.port ?? 0)
  const provider = new Provider({ shape, options, defaults, keys, server, url })
  server.on('request', (request, response) => serve(provider, request, response))
  for (const [userKey, details] of Object.entries(options.users ?? {})) provider.addUser(userKey, details)
  return provider
}

export class Provider implements Behaviour, Tampering {
  readonly kind: ProviderKind
  readonly name: string
  readonly title: string
  readonly shape: Shape
  readonly options: ProviderOptions
  readonly url: string
  /** Of an OpenID provider; for the others it is their URL and never sent. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly clients = new Map<string, ProviderClient>()
  readonly users: UserStore
  readonly grants: GrantStore
  readonly knobs = new Knobs()
  readonly journal = new Journal()
  readonly keys: KeyRing | undefined
  readonly routes: Route[]
  readonly nowMs: () => number
  /** Who is signed in at the provider, by key; undefined: nobody, and authorization is denied. */
  currentUser: string | undefined = undefined

  declare rotation: Rotation
  declare graceSeconds: number
  declare accessTokenSeconds: number | undefined
  declare refreshTokenSeconds: number | undefined
  declare refresh: RefreshPolicy
  declare refreshEndsAccessTokens: boolean
  declare revocationEnds: RevocationEnds
  declare requirePkce: boolean
  declare interactive: boolean
  declare granularConsent: boolean
  declare grantOnly: readonly string[] | undefined

  declare tamperIdToken: Tampering['tamperIdToken']
  declare tamperSignedIdToken: Tampering['tamperSignedIdToken']
  declare tamperAnswer: Tampering['tamperAnswer']
  declare tamperUserInfo: Tampering['tamperUserInfo']
  declare tamperEmails: Tampering['tamperEmails']
  declare tamperDiscovery: Tampering['tamperDiscovery']
  declare tamperJwks: Tampering['tamperJwks']
  declare tamperRedirect: Tampering['tamperRedirect']

  readonly #server: Server

  constructor({ shape, options, defaults, keys, server, url }: Parts) {
    this.shape = shape
    this.options = options
    this.kind = shape.kind
    this.name = options.name ?? shape.kind
    this.title = options.title ?? this.name.charAt(0).toUpperCase() + this.name.slice(1)
    this.url = url
    this.issuer = url
    this.clientId = options.clientId ?? `tenon-at-${this.name}`
    this.clientSecret = options.clientSecret ?? `secret_${randomBytes(24).toString('base64url')}`
    this.nowMs = options.nowMs ?? Date.now
    this.keys = keys
    this.#server = server
    this.users = new UserStore((userKey) => shape.defaultSubject(this.name, userKey))
    this.grants = new GrantStore(this.nowMs)
    this.routes = [...shape.routes]
    this.addClient({ id: this.clientId, secret: this.clientSecret, name: options.clientName ?? 'Tenon' })
    this.addApi({ path: '/api/whoami', answer: whoami })
    this.addRoute({ endpoint: 'other', path: STYLESHEET_PATH, handle: stylesheet })
    Object.assign(this, behaviourOf(options, defaults), withoutLies())
  }

  /** URL of each endpoint, by its name in the log. */
  get endpoints(): Readonly<Partial<Record<Endpoint, string>>> {
    const found: Partial<Record<Endpoint, string>> = {}
    for (const { endpoint, path } of this.routes) found[endpoint] ??= this.url + path
    return found
  }

  get apiUrl(): string {
    return `${this.url}/api/whoami`
  }

  /** URL of an endpoint. @throws {Error} this kind of provider has none. */
  endpoint(name: Endpoint): string {
    const url = this.endpoints[name]
    if (url === undefined) throw new Error(`a provider of kind ${this.kind} has no endpoint ${name}`)
    return url
  }

  /** Adds a user, who becomes the current one when there is none; the same key again replaces the user. */
  addUser(userKey: string, details: UserDetails = {}): ProviderUser {
    this.currentUser ??= userKey
    return this.users.add(userKey, details)
  }

  switchUser(userKey: string): ProviderUser {
    const user = this.users.get(userKey)
    this.currentUser = userKey
    return user
  }

  /** Changes what the provider says of a user from now on. */
  updateUser(userKey: string, changes: UserDetails): ProviderUser {
    return Object.assign(this.users.get(userKey), changes)
  }

  /** Registers another app, e.g. one whose tokens an attacker holds. */
  addClient(client: ProviderClient): ProviderClient {
    this.clients.set(client.id, client)
    return client
  }

  /** Adds an API that answers only to live access tokens with the scope it needs. */
  addApi(route: ApiRoute): void {
    this.addRoute({ endpoint: 'api', path: route.path, handle: apiHandler(route) })
  }

  addRoute(route: Route): void {
    this.routes.push(route)
  }

  /** Gives out tokens without a browser: a consent that happened somewhere else. */
  mint(
    userKey: string,
    { scopes, clientId = this.clientId }: { readonly scopes: readonly string[]; readonly clientId?: string },
  ): MintedTokens {
    this.users.get(userKey)
    const family = this.grants.startFamily({ userKey, clientId, scopes, authTimeMs: this.nowMs() })
    const { access, refresh } = this.shape.tokenPrefixes
    return {
      accessToken: this.grants.issueAccessToken(family, scopes, this.accessTokenSeconds, access),
      refreshToken:
        this.refresh === 'never' ? undefined : this.grants.issueRefreshToken(family, this.refreshTokenSeconds, refresh),
    }
  }

  /** The next requests to an endpoint get this answer and have no effect. Failures queue up. */
  fail(endpoint: Endpoint, options: FailOptions = {}): void {
    this.knobs.fail(endpoint, options)
  }

  /** The next requests have their whole effect, and the connection breaks before the answer. */
  loseAnswer(endpoint: Endpoint, times = 1): void {
    this.knobs.loseAnswer(endpoint, times)
  }

  /** More than `requests` within `seconds` get 429 with `Retry-After`. */
  throttle(endpoint: Endpoint, limit: { readonly requests: number; readonly seconds: number }): void {
    this.knobs.throttle(endpoint, limit)
  }

  /** Every request to the endpoint waits; 0 ends that. */
  delay(endpoint: Endpoint, ms: number): void {
    this.knobs.delay(endpoint, ms)
  }

  /** Requests to the endpoint stay unanswered until `release`. */
  hang(endpoint: Endpoint, options: HangOptions = {}): void {
    this.knobs.hang(endpoint, options)
  }

  /** Lets what hangs go on, and ends the hanging, at one endpoint or at all. */
  release(endpoint?: Endpoint): void {
    this.knobs.release(endpoint)
  }

  /** How many requests hang at an endpoint now. */
  hangingCount(endpoint: Endpoint): number {
    return this.knobs.hangingCount(endpoint)
  }

  /** Resolves as soon as a request hangs at the endpoint: with `when: 'after'`, once its effect is there. */
  untilHanging(endpoint: Endpoint): Promise<void> {
    return this.knobs.untilHanging(endpoint)
  }

  /** The next authorization request ends with `access_denied`. */
  denyNext(): void {
    this.knobs.denyNext()
  }

  /** Takes back every failure, delay, hang, denial and lie, and `grantOnly`. Users, tokens, log and the rest stay. */
  reset(): void {
    this.knobs.reset()
    this.grantOnly = undefined
    Object.assign(this, withoutLies())
  }

  /** Signs with a new key; the old one leaves the JWKS unless `keepOld`. @throws {Error} the provider signs nothing. */
  async rotateKeys({
    keepOld = true,
    alg,
  }: {
    readonly keepOld?: boolean
    readonly alg?: SigningAlgorithm
  } = {}): Promise<void> {
    if (this.keys === undefined) throw new Error(`a provider of kind ${this.kind} has no signing keys`)
    this.keys.rotate(await createSigningKey(alg ?? this.keys.current.alg), { keepOld })
  }

  /** Ends every token of a user, as when they remove the app at the provider. */
  revokeUser(userKey: string): void {
    for (const family of this.grants.liveFamilies(userKey)) this.grants.endFamily(family)
  }

  /** Makes the access tokens of a user, or of everybody, stop working now; refresh tokens stay. */
  expireAccessTokens(userKey?: string): void {
    this.grants.endAccessTokens((family) => userKey === undefined || family.userKey === userKey)
  }

  isLive(accessToken: string): boolean {
    return this.grants.findLiveAccessToken(accessToken) !== undefined
  }

  hasLiveRefreshToken(userKey: string): boolean {
    return this.grants.hasLiveRefreshToken(userKey)
  }

  /** Refresh tokens used again although they were replaced and the grace was over: 0 with a careful client. */
  get reuses(): number {
    return this.grants.reuses
  }

  /** Codes that were presented again after they were spent. */
  get codeReplays(): number {
    return this.grants.codeReplays
  }

  get log(): readonly LogEntry[] {
    return this.journal.entries
  }

  /** Requests that arrived at an endpoint, oldest first. */
  calls(endpoint: Endpoint, filter: CallFilter = {}): readonly LogEntry[] {
    return this.journal.list(endpoint, filter)
  }

  /** Resolves when the next request to the endpoint has arrived, and before it is answered. */
  nextCall(endpoint: Endpoint): Promise<LogEntry> {
    return this.journal.next(endpoint)
  }

  /** Every code and token it ever gave out, for canary searches. */
  get secrets(): readonly string[] {
    return this.grants.issued.map(({ value }) => value)
  }

  /** The same with what each one is. */
  get issued(): readonly IssuedSecret[] {
    return this.grants.issued
  }

  /** This provider as a connection of the tenant file; `more` adds members such as `enabled_clients`, or replaces some. */
  connection(more: Json = {}): Json & { readonly name: unknown; readonly strategy: string; readonly options: Json } {
    const { strategy, options } = this.shape.connection(this, this.options.scope)
    const credentials = { client_id: this.clientId, client_secret: this.clientSecret }
    return {
      name: this.name,
      strategy,
      options: { ...credentials, ...options, ...this.options.connectionOptions },
      ...more,
    }
  }

  /** Parameters of an authorization request, added to the right URL. */
  authorizeUrl(parameters: Fields): string {
    return `${this.endpoint('authorize')}?${new URLSearchParams(parameters)}`
  }

  /** Answers what hangs, closes every connection, and frees the port. */
  async stop(): Promise<void> {
    this.knobs.release()
    await close(this.#server)
  }
}
