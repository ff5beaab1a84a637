// An agent as Tenon knows it: a client that proves itself, and asks for tokens of its users' accounts.
import { type Fetch, send } from './http.ts'
import { refusalOf, TenonError } from './refusals.ts'
import { createUser, type User } from './user.ts'

export interface AgentOptions {
  /** Tenon's address, e.g. `https://id.example.com/`. */
  readonly issuer: string
  readonly clientId: string
  /** How the client proves itself: its secret, or a fresh `private_key_jwt` assertion for each request
   * (`privateKeyJwt` makes them). */
  readonly credential: { readonly secret: string } | { readonly assertion: () => string | Promise<string> }
  readonly fetch?: Fetch
}

/** What says for which user the agent asks: a token that was issued to it, or to an API that it serves. */
export type Subject = { readonly refreshToken: string } | { readonly accessToken: string }

export interface ExchangeRequest {
  readonly subject: Subject
  readonly connection: string
  /** Only when the account allows all of these. */
  readonly scopes?: readonly string[]
  /** Which of several accounts: its id (`cac_…`), label, or the provider's own user id. */
  readonly loginHint?: string
  /** What it is for, up to 256 characters; the user sees it. */
  readonly purpose?: string
  /** Seconds that the token must live at least; 60 unless said. */
  readonly minTtlSeconds?: number
}

/** A token of the provider. Ask anew instead of keeping it: Tenon refreshes, and knows when the user says stop. */
export interface Token {
  readonly accessToken: string
  /** Granted by the provider, in every spelling that it knows. */
  readonly scopes: readonly string[]
  /** Seconds. */
  readonly expiresIn: number
}

export interface Agent {
  /**
   * A provider's token for the user's account.
   *
   * @throws {TenonRefusal} one of its classes for each code (`NotConnected`, `ScopeMissing`, …).
   * @throws {TenonError} the client was not believed, or Tenon does not answer.
   */
  exchange(request: ExchangeRequest): Promise<Token>
  /**
   * The user's own API, opened by the refresh token that the user's sign-in gave the agent.
   *
   * @throws {TenonError} the refresh token has ended, or does not reach that API (`refresh_token.policies`).
   */
  userOf(refreshToken: string): Promise<User>
}

const EXCHANGE = 'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token'
const FEDERATED_TOKEN = 'http://auth0.com/oauth/token-type/federated-connection-access-token'
const CONNECTED_ACCOUNTS = ['create', 'read', 'delete'].map((verb) => `${verb}:me:connected_accounts`).join(' ')

export function createAgent({ issuer, clientId, credential, fetch = globalThis.fetch }: AgentOptions): Agent {
  const base = issuer.endsWith('/') ? issuer : `${issuer}/`
  const ask = async (fields: Readonly<Record<string, string | undefined>>) => {
    const body = new URLSearchParams({ client_id: clientId, ...(await proofOf(credential)) })
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) body.set(name, value)
    const answer = await send(fetch, `${base}oauth/token`, { method: 'POST', body })
    const token = answer.status === 200 ? tokenOf(answer.body) : undefined
    if (token === undefined) throw refusalOf(answer.status, answer.body)
    return token
  }
  return {
    exchange: ({ subject, connection, scopes, loginHint, purpose, minTtlSeconds }) =>
      ask({
        grant_type: EXCHANGE,
        requested_token_type: FEDERATED_TOKEN,
        connection,
        scope: scopes?.join(' '),
        login_hint: loginHint,
        purpose,
        min_ttl: minTtlSeconds?.toString(),
        ...fieldsOf(subject),
      }),
    async userOf(refreshToken) {
      const { accessToken } = await ask({
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        audience: `${base}me/`,
        scope: `openid ${CONNECTED_ACCOUNTS}`,
      })
      return createUser({ api: `${base}me/v1/`, accessToken, fetch })
    },
  }
}

async function proofOf(credential: AgentOptions['credential']): Promise<Record<string, string>> {
  if ('secret' in credential) return { client_secret: credential.secret }
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await credential.assertion(),
  }
}

const fieldsOf = (subject: Subject): Record<string, string> =>
  'refreshToken' in subject
    ? {
        subject_token: subject.refreshToken,
        subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token',
      }
    : {
        subject_token: subject.accessToken,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      }

function tokenOf({
  access_token: accessToken,
  scope,
  expires_in: expiresIn,
}: Readonly<Record<string, unknown>>): Token {
  if (typeof accessToken !== 'string' || typeof expiresIn !== 'number')
    throw new TenonError('malformed_answer', 'Tenon answered without a token.', { status: 200 })
  return { accessToken, expiresIn, scopes: typeof scope === 'string' && scope !== '' ? scope.split(' ') : [] }
}
