// A row of APIs that call each other for a person: `api` calls `orders`, which calls `stock`.
import { type Reachable, signIn, tokenRequest } from './actors.ts'
import type { Answer } from './http.ts'
import { API, type Person, type TenantDraft } from './tenant.ts'

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
export const ORDERS = 'https://orders.acme.test/'
export const STOCK = 'https://stock.acme.test/'

const SECRETS = { orders: 'orders-secret-orders-secret', stock: 'stock-secret-stock-secret' }
const scopes = ['read:things', 'write:things'].map((value) => ({ value }))

/** Takes the secrets of the new clients into the tenant of a server. */
export function withApis(file: TenantDraft): void {
  const service = (clientId: 'orders' | 'stock', identifier: string) => ({
    client_id: clientId,
    client_secret: SECRETS[clientId],
    name: `The ${clientId} API`,
    app_type: 'resource_server',
    resource_server_identifier: identifier,
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: [TOKEN_EXCHANGE],
  })
  for (const client of file.clients) {
    if (client.client_id === 'api') client.grant_types = [...(client.grant_types as string[]), TOKEN_EXCHANGE]
  }
  file.clients.push(service('orders', ORDERS), service('stock', STOCK))
  file.resource_servers.push(
    { name: 'Orders', identifier: ORDERS, scopes: [...scopes, { value: 'erase:things' }], allow_offline_access: true },
    { name: 'Stock', identifier: STOCK, scopes, allow_offline_access: true },
  )
  const grant = (client_id: string, audience: string, scope: readonly string[]) => {
    file.client_grants.push({ client_id, audience, scope, subject_type: 'user' })
  }
  grant('api', ORDERS, ['read:things', 'write:things', 'erase:things'])
  grant('orders', STOCK, ['read:things', 'write:things'])
  grant('stock', ORDERS, ['read:things', 'write:things'])
}

export const withSecrets = (server: Reachable): void => void Object.assign(server.tenant.secrets, SECRETS)

/** A person's token for the first API. */
export const callApi = (server: Reachable, user: Person, scope = 'openid read:things') =>
  signIn(server, { client: 'web', user, audience: API, scope: `${scope} offline_access` })

type Fields = Readonly<Record<string, string | undefined>>

/** An API asks for a token for the next one. */
export const handOn = (
  server: Reachable,
  client: string,
  subjectToken: string,
  audience: string,
  fields: Fields = {},
): Promise<Answer> =>
  tokenRequest(server, client, {
    grant_type: TOKEN_EXCHANGE,
    subject_token: subjectToken,
    subject_token_type: ACCESS_TOKEN,
    audience,
    ...fields,
  })
