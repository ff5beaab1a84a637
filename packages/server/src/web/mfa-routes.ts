// `/mfa/*`: what an app asks when a password is half a sign-in (auth0-wire.md §1.9). The other half is a grant of the token
// endpoint.
import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import type { Origins } from '../api/cors.ts'
import type { Settings } from '../domain/settings.ts'
import { createMinuteLimit } from '../lib/minute-limit.ts'
import {
  type AuthenticatorAnswer,
  type AuthenticatorDeps,
  challenge,
  listAuthenticators,
  refuseChange,
} from '../oauth/authenticators.ts'
import { challengeBody } from '../protocol/mfa-api.ts'
import { preflights, readable } from './cross-origin.ts'
import { clientAddress, fieldsOf } from './http.ts'

interface Deps extends AuthenticatorDeps {
  readonly origins: Origins
  readonly trustProxy: readonly string[]
  readonly settings: () => Pick<Settings, 'rateLimitsEnabled'>
}

type Env = { Bindings: HttpBindings }
type Page = Context<Env>

/** From one address of the network in a minute. */
const CALLS = 120

export function mfaRoutes(app: Hono<Env>, deps: Deps): void {
  const limit = createMinuteLimit({ points: CALLS, enabled: () => deps.settings().rateLimitsEnabled })
  const serve = (handle: (c: Page) => Promise<AuthenticatorAnswer>) => async (c: Page) => {
    const verdict = await limit.count(clientAddress(c.env.incoming, deps.trustProxy) ?? '')
    const response = verdict.kind === 'within' ? say(c, await handle(c)) : limited(c, verdict.retryAfterSeconds)
    response.headers.set('cache-control', 'no-store')
    return readable(c, response, deps.origins)
  }
  preflights(app, '/mfa/*', deps.origins)
  app.get(
    '/mfa/authenticators',
    serve((c) => listAuthenticators(deps, bearerOf(c))),
  )
  const change = serve((c) => refuseChange(deps, bearerOf(c)))
  app.delete('/mfa/authenticators/:id', change)
  app.post('/mfa/associate', change)
  app.post(
    '/mfa/challenge',
    serve((c) => readChallenge(deps, c)),
  )
}

const bearerOf = (c: Page): string => /^Bearer (\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? ''

async function readChallenge(deps: Deps, c: Page): Promise<AuthenticatorAnswer> {
  const parsed = challengeBody.safeParse(fieldsOf(c.req.header('content-type'), await c.req.text()))
  if (parsed.success) {
    const { mfa_token: token, client_id: clientId, challenge_type: wanted, authenticator_id: id } = parsed.data
    return challenge(deps, { token, clientId, wanted, id })
  }
  const place = parsed.error.issues[0]?.path.join('.') ?? ''
  const description = `Missing or malformed: ${place || 'the body'}`
  return { kind: 'refused', status: 400, error: 'invalid_request', description }
}

function say(c: Page, answer: AuthenticatorAnswer): Response {
  if (answer.kind === 'answer') return c.json(answer.body)
  const { status, error, description } = answer
  if (status === 401) c.header('www-authenticate', `Bearer error="${error}"`)
  return c.json({ error, error_description: description }, status)
}

function limited(c: Page, retryAfterSeconds: number): Response {
  c.header('retry-after', String(retryAfterSeconds))
  return c.json({ error: 'too_many_requests', error_description: 'Too many requests.' }, 429)
}
