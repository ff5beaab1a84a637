// The OAuth endpoints on plain `node:http`: they are the hot ones, and the engine wants Node's own objects.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Origins, preflight } from '../api/cors.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Exchange } from '../oauth/exchange.ts'
import type { ExchangeSwitch } from '../oauth/exchange-switch.ts'
import { EXPOSED_HEADERS } from '../protocol/exposed-headers.ts'
import { EXCHANGE_GRANTS } from '../protocol/grant-types.ts'
import { BadRequest, clientAddress, type FlatBody, parseFlatBody, readBody } from './http.ts'

export interface ProtocolDeps {
  readonly engine: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  readonly exchange: Exchange
  readonly isOwnExchange: ExchangeSwitch
  readonly trustProxy: readonly string[]
  readonly origins: Origins
}

const POSTS = new Set([
  '/oauth/token',
  '/oauth/revoke',
  '/oauth/par',
  '/authorize',
  '/bc-authorize',
  '/oauth/device/code',
])
const EXACT = new Set([
  ...POSTS,
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/.well-known/jwks.json',
])

/** True when the engine, or the exchange beside it, answers this path. */
export const isProtocolPath = (path: string): boolean => EXACT.has(path) || /^\/authorize\/[\w-]+$/.test(path)

/** Answers a protocol endpoint. */
export async function protocolEndpoint(
  deps: ProtocolDeps,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A preflight names no client: the engine would allow it to everybody.
  if (request.method === 'OPTIONS' && POSTS.has(path)) return answerPreflight(deps, request, response)
  if (request.method !== 'POST' || !POSTS.has(path)) return engineOrMethod(deps, path, request, response)
  const body = await readParameters(request, response)
  if (body === undefined) return
  if (path === '/authorize') return repeatAsGet(body, response)
  if (
    path === '/oauth/token' &&
    typeof body.grant_type === 'string' &&
    EXCHANGE_GRANTS.has(body.grant_type) &&
    !(await deps.isOwnExchange(body))
  ) {
    return exchange(deps, body, request, response)
  }
  // The engine takes what was parsed already, and knows forms only; without a length it would see no body.
  Object.assign(request, { body, clientAddress: clientAddress(request, deps.trustProxy) })
  request.headers['content-type'] = 'application/x-www-form-urlencoded'
  request.headers['content-length'] ??= '0'
  await deps.engine(request, response)
}

async function answerPreflight(
  { origins }: ProtocolDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { origin } = request.headers
  const { status, headers } = preflight(origin, origin !== undefined && (await origins.isKnown(origin)))
  response.writeHead(status, Object.fromEntries(headers)).end()
}

/** OpenID Connect Core §3.1.2.1 wants both methods; the engine would want laxer cookies for a POST. */
function repeatAsGet(body: FlatBody, response: ServerResponse): void {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(body)) for (const one of [value].flat()) query.append(name, one)
  response.writeHead(303, { location: `/authorize?${query}`, 'cache-control': 'no-store' }).end()
}

async function readParameters(request: IncomingMessage, response: ServerResponse): Promise<FlatBody | undefined> {
  try {
    return parseFlatBody(request.headers['content-type'], await readBody(request))
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error
    sendJson(response, error.status, { error: 'invalid_request', error_description: error.message })
    return undefined
  }
}

async function exchange(
  { exchange, origins, trustProxy }: ProtocolDeps,
  body: FlatBody,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const ip = clientAddress(request, trustProxy)
  const answer = await exchange.handle({
    body,
    authorization: request.headers.authorization,
    ...(ip === undefined ? {} : { ip }),
    requestId: String(response.getHeader('x-request-id')),
  })
  const { origin } = request.headers
  const readable =
    origin !== undefined && (await origins.isKnown(origin))
      ? { 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED_HEADERS, vary: 'Origin' }
      : {}
  sendJson(response, answer.status, answer.body, { ...answer.headers, ...readable })
}

/** What each endpoint is asked by; preflights of posted ones are answered before. */
function methodsOf(path: string): readonly string[] {
  if (path.startsWith('/authorize')) return ['GET', 'HEAD', 'POST']
  return POSTS.has(path) ? ['POST'] : ['GET', 'HEAD', 'OPTIONS']
}

async function engineOrMethod(
  { engine }: ProtocolDeps,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const allowed = methodsOf(path)
  if (!allowed.includes(request.method ?? '')) {
    const error = { error: 'method_not_allowed', error_description: `${path} takes ${allowed.join(', ')}.` }
    sendJson(response, 405, error, { allow: allowed.join(', ') })
    // Whoever only looks ahead must not use up a request, nor be given a code.
  } else if (request.method === 'HEAD' && path.startsWith('/authorize')) {
    response.writeHead(200, { 'cache-control': 'no-store' }).end()
  } else await engine(request, response)
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: JsonObject,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    ...headers,
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
