// What people, apps and agents do to a server, in a call each. Whatever ends otherwise than expected throws and says how.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { MY_ACCOUNT_SCOPES } from '../../src/protocol/api-scopes.ts'
import { Browser, describe, type Page } from './browser.ts'
import { type Answer, type Headers, request } from './http.ts'
import { CALLBACK, CURRENT_USER_SCOPES, PASSWORDS, type Person, type TestTenant, VAULT_GRANT } from './tenant.ts'

/** What the actors need of a server: `TestServer` has it; so may anything that serves its tenant. */
export interface Reachable {
  readonly url: string
  readonly issuer: string
  readonly tenant: Pick<TestTenant, 'secrets'>
}

export const FEDERATED_TOKEN = 'http://auth0.com/oauth/token-type/federated-connection-access-token'
export const TOKEN_TYPES = {
  refresh: 'urn:ietf:params:oauth:token-type:refresh_token',
  access: 'urn:ietf:params:oauth:token-type:access_token',
} as const

type Params = Readonly<Record<string, string | readonly string[] | undefined>>

export const random = (): string => randomBytes(16).toString('base64url')

export function pkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

export interface AuthorizeOptions {
  readonly client?: string
  /** Goes straight there; a person with a password needs none. */
  readonly connection?: string
  readonly scope?: string
  readonly audience?: string
  readonly redirectUri?: string
  /** Further parameters; undefined takes one of the usual ones away. */
  readonly extra?: Params
  /** Signs in by password. */
  readonly user?: Person
  /** What to press on a page, by `data-page`; false: stop there. */
  readonly answers?: Readonly<Record<string, string | false>>
}

export interface AuthorizationRequest {
  readonly url: string
  readonly verifier: string
  readonly redirectUri: string
  readonly client: string
  readonly state: string
  readonly nonce: string
}

/** An authorization request as an app sends it, and what the app keeps. */
export function authorizeUrl(server: Reachable, how: AuthorizeOptions = {}): AuthorizationRequest {
  const { client = 'web', redirectUri = CALLBACK, scope = 'openid profile email offline_access' } = how
  const { verifier, challenge } = pkce()
  const [state, nonce] = [random(), random()]
  const params: Params = {
    response_type: 'code',
    client_id: client,
    redirect_uri: redirectUri,
    scope,
    state,
    nonce,
    audience: how.audience,
    connection: how.connection,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...how.extra,
  }
  const url = new URL('/authorize', server.url)
  for (const [name, value] of Object.entries(params)) {
    for (const one of [value].flat()) if (one !== undefined) url.searchParams.append(name, one)
  }
  return { url: url.href, verifier, redirectUri, client, state, nonce }
}

const YES: Readonly<Record<string, string>> = {
  consent: 'allow',
  'link-confirm': 'confirm',
  'which-account': 'another',
  'merge-preview': 'confirm',
  'link-suggest': 'keep_separate',
  'link-conflict': 'continue',
}
const MOST_PAGES = 10

/** Goes on from the present page as a person would, and stays apart where asked; until a callback or a page to stop at. */
export async function drive(browser: Browser, how: AuthorizeOptions = {}): Promise<Page> {
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const { page } = browser
    const name = page.name ?? ''
    if (page.stopped || page.status >= 400 || how.answers?.[name] === false) return page
    const answer = how.answers?.[name] ?? YES[name]
    if (answer !== undefined) {
      const form = page.forms.find(({ buttons }) => buttons.some(({ value }) => value === answer))
      await browser.submit(form?.name ?? name, { action: answer })
    } else if ((name === 'login' || name === 'reauthenticate') && how.user !== undefined) {
      await browser.submit('login', { fields: { username: how.user.email, password: how.user.password } })
    } else if (name === 'login' && how.connection !== undefined && how.connection !== PASSWORDS) {
      await browser.submit('connection', { connection: how.connection })
    } else return page
  }
  throw new Error(`no end after ${MOST_PAGES} pages: ${describe(browser.page)}`)
}

export interface AuthorizationAnswer extends AuthorizationRequest {
  readonly page: Page
  readonly params: URLSearchParams
}

/** The browser's part of a sign-in; `page` is where it ended. */
export async function authorize(
  browser: Browser,
  server: Reachable,
  how: AuthorizeOptions = {},
): Promise<AuthorizationAnswer> {
  const asked = authorizeUrl(server, how)
  await browser.open(asked.url)
  const page = await drive(browser, how)
  return { ...asked, page, params: page.params }
}

export interface SignedIn {
  readonly browser: Browser
  readonly sub: string
  readonly claims: Claims
  readonly idToken: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly code: string
  readonly client: string
}

/** A sign-in up to tokens, in a new browser unless one is given. */
export async function signIn(
  server: Reachable,
  how: AuthorizeOptions & { readonly browser?: Browser } = {},
): Promise<SignedIn> {
  const browser = how.browser ?? new Browser()
  const flow = await authorize(browser, server, how)
  const code = codeOf(flow)
  const { json } = await redeem(server, flow).then((answer) => expectStatus(answer, 200))
  const claims = claimsOf(json.id_token)
  return {
    browser,
    claims,
    sub: String(claims.sub),
    idToken: json.id_token,
    accessToken: json.access_token,
    refreshToken: json.refresh_token,
    code,
    client: flow.client,
  }
}

/** The code that the browser came back with. */
export function codeOf({ page, params, state }: AuthorizationAnswer): string {
  if (!page.stopped) throw new Error(`no way back to the client: ${describe(page)}: ${page.text.slice(0, 200)}`)
  const code = params.get('code')
  if (code === null) throw new Error(`came back with ${params.get('error')}: ${params.get('error_description')}`)
  assert.equal(params.get('state'), state)
  return code
}

/** A client's request to the token endpoint, authenticated as it is registered. */
export function tokenRequest(
  server: Reachable,
  client: string,
  fields: Params,
  { url = server.url, headers = {} }: { readonly url?: string; readonly headers?: Headers } = {},
): Promise<Answer> {
  const credentials = { client_id: client, client_secret: server.tenant.secrets[client] }
  return request(`${url}/oauth/token`, { form: { ...credentials, ...fields }, headers })
}

export function redeem(
  server: Reachable,
  flow: Pick<AuthorizationAnswer, 'params' | 'redirectUri' | 'verifier' | 'client'>,
  { client = flow.client, fields = {}, url }: { client?: string; fields?: Params; url?: string } = {},
): Promise<Answer> {
  const { redirectUri, verifier } = flow
  const code = flow.params.get('code') ?? undefined
  const sent = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier, ...fields }
  return tokenRequest(server, client, sent, url === undefined ? {} : { url })
}

export const refresh = (
  server: Reachable,
  client: string,
  refreshToken: string,
  fields: Params = {},
  url = server.url,
): Promise<Answer> =>
  tokenRequest(server, client, { grant_type: 'refresh_token', refresh_token: refreshToken, ...fields }, { url })

export interface ExchangeOptions {
  readonly client?: string
  readonly connection: string
  readonly subjectToken: string
  readonly type?: keyof typeof TOKEN_TYPES
  readonly loginHint?: string
  readonly scope?: string
  readonly fields?: Params
  readonly url?: string
}

/** Asks for the provider's access token (Auth0's federated-connection grant). */
export function exchange(server: Reachable, how: ExchangeOptions): Promise<Answer> {
  const fields = {
    grant_type: VAULT_GRANT,
    subject_token: how.subjectToken,
    subject_token_type: TOKEN_TYPES[how.type ?? 'refresh'],
    requested_token_type: FEDERATED_TOKEN,
    connection: how.connection,
    login_hint: how.loginHint,
    scope: how.scope,
    ...how.fields,
  }
  return tokenRequest(server, how.client ?? 'web', fields, how.url === undefined ? {} : { url: how.url })
}

/** A token for the My Account API, by a refresh that asks for it. */
export async function meToken(
  server: Reachable,
  { client, refreshToken }: Pick<SignedIn, 'client' | 'refreshToken'>,
): Promise<string> {
  const scope = `openid ${MY_ACCOUNT_SCOPES.join(' ')}`
  const answer = await refresh(server, client, refreshToken, { audience: `${server.issuer}me/`, scope })
  return expectStatus(answer, 200).json.access_token
}

/** A person's own token for the Management API. */
export const currentUserSignIn = (
  server: Reachable,
  how: AuthorizeOptions & { readonly browser?: Browser } = {},
): Promise<SignedIn> =>
  signIn(server, {
    client: 'spa',
    audience: `${server.issuer}api/v2/`,
    scope: `openid profile email offline_access ${CURRENT_USER_SCOPES.join(' ')}`,
    ...how,
  })

export interface ApiCaller {
  readonly token: string
  get(path: string, headers?: Headers): Promise<Answer>
  post(path: string, json?: unknown, headers?: Headers): Promise<Answer>
  patch(path: string, json?: unknown, headers?: Headers): Promise<Answer>
  put(path: string, json?: unknown, headers?: Headers): Promise<Answer>
  delete(path: string, json?: unknown, headers?: Headers): Promise<Answer>
}

function caller(base: string, token: string): ApiCaller {
  const call =
    (method: string) =>
    (path: string, json?: unknown, headers: Headers = {}) =>
      request(`${base}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...headers },
        ...(json === undefined ? {} : { json }),
      })
  return {
    token,
    get: (path, headers) => call('GET')(path, undefined, headers),
    post: call('POST'),
    patch: call('PATCH'),
    put: call('PUT'),
    delete: call('DELETE'),
  }
}

/** The Management API: as `m2m`, or with a token. Paths begin after `/api/v2`. */
export async function mgmt(
  server: Reachable,
  { token, scope, url = server.url }: { token?: string; scope?: string; url?: string } = {},
): Promise<ApiCaller> {
  if (token !== undefined) return caller(`${url}/api/v2`, token)
  const fields = { grant_type: 'client_credentials', audience: `${server.issuer}api/v2/`, scope }
  const answer = expectStatus(await tokenRequest(server, 'm2m', fields), 200)
  return caller(`${url}/api/v2`, answer.json.access_token)
}

/** The My Account API. Paths begin after `/me/v1`. */
export const me = (server: Pick<Reachable, 'url'>, token: string): ApiCaller => caller(`${server.url}/me/v1`, token)

export const userPath = (userId: string): string => `/users/${encodeURIComponent(userId)}`

export interface ConnectOptions {
  /** A token for the My Account API. */
  readonly token: string
  readonly connection: string
  readonly scopes?: readonly string[]
  readonly redirectUri?: string
  readonly fields?: Readonly<Record<string, unknown>>
}

export interface ConnectFlow {
  readonly token: string
  readonly answer: Answer
  /** What the browser opens. */
  readonly url: string
  readonly state: string
  readonly verifier: string
  readonly redirectUri: string
}

/** Starts connecting an account for agents. */
export async function startConnect(server: Reachable, how: ConnectOptions): Promise<ConnectFlow> {
  const { token, connection, scopes, redirectUri = CALLBACK } = how
  const { verifier, challenge } = pkce()
  const state = random()
  const answer = await me(server, token).post('/connected-accounts/connect', {
    connection,
    redirect_uri: redirectUri,
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...(scopes === undefined ? {} : { scopes }),
    ...how.fields,
  })
  const url = `${answer.json?.connect_uri}?ticket=${answer.json?.connect_params?.ticket}`
  return { token, answer, url, state, verifier, redirectUri }
}

/** Ends it with the code that the browser came back with. */
export const completeConnect = (
  server: Reachable,
  flow: ConnectFlow,
  params: URLSearchParams,
  { token = flow.token, fields = {} }: { token?: string; fields?: Readonly<Record<string, unknown>> } = {},
): Promise<Answer> =>
  me(server, token).post('/connected-accounts/complete', {
    auth_session: flow.answer.json.auth_session,
    connect_code: params.get('connect_code') ?? undefined,
    redirect_uri: flow.redirectUri,
    code_verifier: flow.verifier,
    ...fields,
  })

/** The whole of it: start, the browser's part, completion. Answers with the connected account. */
export async function connect(
  browser: Browser,
  server: Reachable,
  how: ConnectOptions & Pick<AuthorizeOptions, 'user' | 'answers'>,
): Promise<{ readonly id: string; readonly connection: string; readonly scopes: readonly string[] }> {
  const flow = await startConnect(server, how)
  expectStatus(flow.answer, 201)
  await browser.open(flow.url)
  const page = await drive(browser, how)
  if (!page.params.has('connect_code')) throw new Error(`not connected: ${describe(page)} ${page.params}`)
  return expectStatus(await completeConnect(server, flow, page.params), 201).json
}

export interface Claims {
  readonly [name: string]: unknown
}

/** What a JWT says, unchecked. */
export function claimsOf(token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
}

export function expectStatus(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer
  throw new Error(`status ${answer.status} instead of ${status}: ${answer.text.slice(0, 300)}`)
}

/** Answers with `code`, or with the error of a sign-in without pages. */
export async function silently(
  browser: Browser,
  server: Reachable,
  how: AuthorizeOptions = {},
): Promise<'code' | string> {
  const { page, params } = await authorize(browser.clone(), server, { ...how, extra: { prompt: 'none', ...how.extra } })
  if (!page.stopped) return describe(page)
  return params.has('code') ? 'code' : String(params.get('error'))
}
