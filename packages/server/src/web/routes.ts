// The routes of everything but the protocol endpoints, in one table; `handler.ts` has those.
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { allowOrigin, type Origins, preflight } from '../api/cors.ts'
import type { JsonObject } from '../lib/json.ts'
import { identifyBrowser } from '../sessions/browser-cookies.ts'
import type { Assets } from './assets.ts'
import { type BrowserRoutesDeps, browserRoutes } from './browser-routes.ts'
import { databaseRoutes } from './database-routes.ts'
import { MAX_BODY_BYTES } from './http.ts'
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
  readonly openApi: JsonObject
  readonly managementApi: { fetch(request: Request): Response | Promise<Response> }
  readonly meApi: { fetch(request: Request): Response | Promise<Response> }
}

type Env = { Bindings: HttpBindings }
const YEAR_SECONDS = 31_536_000

export function createRoutes(deps: RoutesDeps): Hono<Env> {
  const app = new Hono<Env>()
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => c.json(refusal(413, 'payload_too_large'), 413) }))

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
    const origin = c.req.header('origin')
    if (origin !== undefined && (await deps.origins.isKnown(origin))) allowOrigin(answer, origin)
    return answer
  })
  app.options('/userinfo', async (c) => {
    const origin = c.req.header('origin')
    return preflight(origin, origin !== undefined && (await deps.origins.isKnown(origin)))
  })
  app.get('/openapi.json', (c) => c.json(deps.openApi))
  app.get('/docs/api', (c) =>
    deps.responder.page(c, renderApiDocs(deps.responder.frame(), deps.openApi), { kind: 'console' }),
  )
  app.all('/api/v2/*', (c) => deps.managementApi.fetch(c.req.raw))
  app.all('/me/v1/*', (c) => deps.meApi.fetch(c.req.raw))
  app.all('/.well-known/oauth-protected-resource/me/v1', (c) => deps.meApi.fetch(c.req.raw))
  databaseRoutes(app, deps)
  registrationRoute(app, deps)
  app.route('/', browserRoutes(deps))

  app.onError((error, c) => {
    deps.log.error({ err: error, path: c.req.path, requestId: requestIdOf(c) }, 'a request failed')
    const page = { kind: 'page', page: { name: 'error', code: 'server_error' }, status: 500 } as const
    if (!c.req.header('accept')?.includes('text/html')) return c.json(refusal(500, 'server_error'), 500)
    return deps.responder.answer(c, identifyBrowser(c.req.header('cookie')), page)
  })
  app.notFound((c) => {
    if (!c.req.header('accept')?.includes('text/html')) return c.json(refusal(404, 'not_found'), 404)
    const page = { kind: 'page', page: { name: 'error', code: 'not_found' }, status: 404 } as const
    return deps.responder.answer(c, identifyBrowser(c.req.header('cookie')), page)
  })
  return app
}

const refusal = (statusCode: number, error: string) => ({ statusCode, error, message: error.replaceAll('_', ' ') })

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
