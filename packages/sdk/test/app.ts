/** A small client app that uses a provider as the tests need it. */
import { createHash, randomBytes } from 'node:crypto'
import { after } from 'node:test'
import type { Provider } from '../src/testing/index.ts'

export const CALLBACK = 'http://127.0.0.1:9/callback'

export type Fields = Record<string, string>

export interface Tokens {
  readonly access_token: string
  readonly refresh_token?: string
  readonly id_token?: string
  readonly scope: string
  readonly expires_in?: number
}

/** Stops the provider when the test file is done. */
export function untilDone<P extends { stop(): Promise<void> }>(provider: P): P {
  after(() => provider.stop())
  return provider
}

export function pkce(): { readonly verifier: string; readonly challenge: string } {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

/** Sends the browser to the provider and returns what it brings back to the callback. */
export async function authorize(provider: Provider, fields: Fields): Promise<Fields> {
  const url = provider.authorizeUrl({
    client_id: provider.clientId,
    redirect_uri: CALLBACK,
    response_type: 'code',
    state: 'a-state',
    ...fields,
  })
  return callbackFields(await fetch(url, { redirect: 'manual' }))
}

export async function jsonOf<T = Record<string, unknown>>(response: Response): Promise<T> {
  // Cast: each test says what it expects and then looks whether it is there.
  return (await response.json()) as T
}

export function callbackFields(response: Response): Fields {
  const location = response.headers.get('location')
  if (location === null) throw new Error(`no redirect: ${response.status}`)
  if (!location.startsWith(CALLBACK)) throw new Error(`redirected to ${location}`)
  return Object.fromEntries(new URL(location).searchParams)
}

export function basic(provider: Provider): string {
  const pair = `${encodeURIComponent(provider.clientId)}:${encodeURIComponent(provider.clientSecret)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

export function post(url: string, fields: Fields, headers: Fields = {}): Promise<Response> {
  return fetch(url, { method: 'POST', body: new URLSearchParams(fields), headers, redirect: 'manual' })
}

/** A token request with `client_secret_post` unless `headers` say otherwise. */
export function tokenRequest(provider: Provider, fields: Fields, headers?: Fields): Promise<Response> {
  const credentials: Fields = headers ? {} : { client_id: provider.clientId, client_secret: provider.clientSecret }
  return post(provider.endpoint('token'), { ...credentials, ...fields }, { accept: 'application/json', ...headers })
}

/** The whole code flow with PKCE. */
export async function signIn(provider: Provider, fields: Fields = {}): Promise<Tokens> {
  const { verifier, challenge } = pkce()
  const { code = '' } = await authorize(provider, {
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...fields,
  })
  const response = await redeem(provider, code, { code_verifier: verifier })
  return jsonOf<Tokens>(response)
}

export function redeem(provider: Provider, code: string, fields: Fields = {}): Promise<Response> {
  return tokenRequest(provider, { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, ...fields })
}

export function refresh(provider: Provider, refreshToken: string | undefined, fields: Fields = {}): Promise<Response> {
  return tokenRequest(provider, { grant_type: 'refresh_token', refresh_token: refreshToken ?? '', ...fields })
}

/** A refresh that has to work. */
export async function refreshed(provider: Provider, refreshToken: string | undefined): Promise<Tokens> {
  const response = await refresh(provider, refreshToken)
  if (response.status !== 200) throw new Error(`refresh answered ${response.status}`)
  return jsonOf<Tokens>(response)
}

export function getWith(token: string | undefined, url: string): Promise<Response> {
  return fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
}

/** Status and wire error of an answer. */
export async function refusal(response: Response): Promise<readonly [number, unknown]> {
  return [response.status, (await jsonOf(response)).error]
}
