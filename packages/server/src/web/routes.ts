// The routes of everything but the protocol endpoints, in one table; `handler.ts` has those.
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Origins } from '../api/cors.ts'
import { Overloaded } from '../domain/errors.ts'
import type { ErrorPage } from '../flows/outcome.ts'
import type { JsonObject } from '../lib/json.ts'
import { identifyBrowser } from '../sessions/browser-cookies.ts'
import type { Assets } from './assets.ts'
import { type BrowserRoutesDeps, browserRoutes } from './browser-routes.ts'
import { preflights, readable } from './cross-origin.ts'
import { databaseRoutes } from './database-routes.ts'
import { MAX_BODY_BYTES, retryAfter } from './http.ts'
import { mfaRoutes } from './mfa-routes.ts'
import { requestIdOf } from './page-responder.ts'
import { renderApiDocs } from './pages/api-docs.ts'
import { registrationRoute } from './registration-route.ts'
import { type UserinfoDeps, userinfo } from './userinfo.ts'

export interface RoutesDeps extends BrowserRoutesDeps {
  readonly acceptQueryToken: UserinfoDeps['acceptQueryToken']
  readonly possession: UserinfoDeps['possession']
  readonly origins: Origins
  readonly assets: Assets
  readonly ready: () => Promise<boolean>
  readonly openApi: () => JsonObject
  readonly managementApi: { fetch(request: Request): Response | Promise<Response> }
  readonly meApi: { fetch(request: Request): Response | Promise<Response> }
}

type Env = { Bindings: HttpBindings }
const YEAR_SECONDS = 31_536_000

export function createRoutes(deps: RoutesDeps): Hono<Env> {
  const app = new Hono<Env>()
  const limited = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => c.json(refusal(413, 'payload_too_large'), 413) })
  // The JSON interfaces limit theirs, and refuse in their own shapes.
  app.use((c, next) => (/^\/(?:api\/v2|me\/v1)\//.test(c.req.path) ? next() : limited(c, next)))

  app.get('/healthz', (c) => c.json({ status: 'ok' }))
  app.get('/readyz', async (c) =>
    (await deps.ready()) ? c.json({ status: 'ready' }) : c.json({ status: 'not ready' }, 503),
  )
  app.get('/assets/theme.css', (c) =>
    c.body(deps.responder.themeCss(), 200, {
      'content-type': 'text/css; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    }),
  )
  app.get('/assets/*', (c) => asset(deps.assets, c.req.path, c.req.query('v')))
  app.on(['GET', 'POST'], '/userinfo', async (c) => {
    const request = {
      method: c.req.method,
      proof: c.req.header('dpop'),
      authorization: c.req.header('authorization'),
      queryToken: c.req.query('access_token'),
      sentInForm: c.req.method === 'POST' && new URLSearchParams(await c.req.text()).has('access_token'),
    }
    const { status, headers, body } = await userinfo(deps, request)
    const answer = new Response(JSON.stringify(body), {
      status,
      headers: { ...headers, 'content-type': 'application/json' },
    })
    return readable(c, answer, deps.origins)
  })
  preflights(app, '/userinfo', deps.origins)
  app.get('/openapi.json', (c) => c.json(deps.openApi()))
  app.get('/docs/api', (c) =>
    deps.responder.page(c, renderApiDocs(deps.responder.frame(), deps.openApi()), { kind: 'console' }),
  )
  app.all('/api/v2/*', (c) => deps.managementApi.fetch(c.req.raw))
  app.all('/me/v1/*', (c) => deps.meApi.fetch(c.req.raw))
  app.all('/.well-known/oauth-protected-resource/me/v1', (c) => deps.meApi.fetch(c.req.raw))
  databaseRoutes(app, deps)
  mfaRoutes(app, deps)
  registrationRoute(app, deps)
  app.route('/', browserRoutes(deps))

  app.onError((error, c) => {
    if (error instanceof Overloaded)
      return sayError(deps, c, refusal(503, 'temporarily_unavailable'), retryAfter(error))
    deps.log.error({ err: error, path: c.req.path, requestId: requestIdOf(c) }, 'a request failed')
    return sayError(deps, c, refusal(500, 'server_error'))
  })
  app.notFound((c) => sayError(deps, c, refusal(404, 'not_found')))
  return app
}

/** A page for people, JSON for programs. */
function sayError(
  { responder }: RoutesDeps,
  c: Context<Env>,
  told: ReturnType<typeof refusal<404 | 500 | 503, ErrorPage['code']>>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { statusCode: status, error: code } = told
  const page = { kind: 'page', page: { name: 'error', code }, status } as const
  const answer = c.req.header('accept')?.includes('text/html')
    ? responder.answer(c, identifyBrowser(c.req.header('cookie')), page)
    : c.json(told, status)
  for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value)
  return answer
}

const refusal = <S extends number, E extends string>(statusCode: S, error: E) => ({
  statusCode,
  error,
  message: error.replaceAll('_', ' '),
})

function asset({ files }: Assets, path: string, version: string | undefined): Response {
  const found = files.get(path)
  if (found === undefined) return new Response('not found', { status: 404 })
  const current = version !== undefined && found.etag === `"${version}"`
  return new Response(found.body, {
    headers: {
      'content-type': found.contentType,
      'cache-control': current ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache',
      etag: found.etag,
      'x-content-type-options': 'nosniff',
    },
  })
}
