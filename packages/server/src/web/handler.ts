// The one entrance: names each request, sends it to the protocol endpoints or to the routes, and answers what broke.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener, RequestError } from '@hono/node-server'
import type { ApiProxy } from '../api/me/proxy.ts'
import { Overloaded } from '../domain/errors.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Log } from '../lib/log.ts'
import { nameRequest, retryAfter } from './http.ts'
import { isProtocolPath, type ProtocolDeps, protocolEndpoint, sendJson } from './protocol-endpoints.ts'
import { createRoutes, type RoutesDeps } from './routes.ts'

export interface HandlerDeps extends RoutesDeps, ProtocolDeps {
  readonly log: Log
  readonly proxy: ApiProxy
  readonly count: (path: string, status: number, seconds: number) => void
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export function createHandler(deps: HandlerDeps): Handler {
  const routes = createRoutes(deps)
  const answerByRoutes = getRequestListener(routes.fetch, {
    errorHandler: (error) => {
      // A target or a host that no URL can be made of.
      if (error instanceof RequestError) return saidInJson(400, { error: 'invalid_request' })
      deps.log.error({ err: error }, 'a request failed')
      return saidInJson(500, { error: 'server_error' })
    },
  })
  return (request, response) => {
    const started = performance.now()
    const requestId = nameRequest(response)
    const path = pathOf(request)
    if (namesTwoHosts(request)) {
      sendJson(
        response,
        400,
        { error: 'invalid_request', error_description: 'The request names two hosts.' },
        { connection: 'close' },
      )
      return
    }
    response.once('finish', () => deps.count(path, response.statusCode, (performance.now() - started) / 1000))
    const work = answerOf(deps, answerByRoutes, path, request, response)
    work.catch((error: unknown) => {
      if (error instanceof Overloaded && !response.headersSent) {
        sendJson(response, 503, { error: error.code, error_description: error.message }, retryAfter(error))
        return
      }
      deps.log.error({ err: error, requestId }, 'a request failed')
      if (response.headersSent) response.destroy()
      else sendJson(response, 500, { error: 'server_error', error_description: `Request ${requestId} failed.` })
    })
  }
}

const saidInJson = (status: number, body: JsonObject): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })

function answerOf(
  deps: HandlerDeps,
  answerByRoutes: ReturnType<typeof getRequestListener>,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (isProtocolPath(path)) return protocolEndpoint(deps, path, request, response)
  if (deps.proxy.serves(path, request.method)) return deps.proxy.handle(request, response)
  return Promise.resolve(answerByRoutes(request, response))
}

/** Node keeps the first; whoever stands before us may have read the other (RFC 9112 §3.2). */
function namesTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === 'host') hosts++
  return hosts > 1
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const cut = url.indexOf('?')
  return cut < 0 ? url : url.slice(0, cut)
}
