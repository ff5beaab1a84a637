// `POST /oidc/register` (RFC 7591), behind the tenant's flag.
import type { HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'
import type { Settings } from '../domain/settings.ts'
import { createMinuteLimit } from '../lib/minute-limit.ts'
import { parseStrictJson } from '../lib/strict-json.ts'
import { type RegistrationDeps, registerClient } from '../oauth/register.ts'
import { clientAddress } from './http.ts'

interface Deps extends RegistrationDeps {
  readonly trustProxy: readonly string[]
  readonly settings: () => Pick<Settings, 'dynamicRegistration' | 'rateLimitsEnabled'>
}

/** From one address of the network in a minute. */
const REGISTRATIONS = 20
const MAX_CHARACTERS = 16_384

export function registrationRoute(app: Hono<{ Bindings: HttpBindings }>, deps: Deps): void {
  const limit = createMinuteLimit({ points: REGISTRATIONS, enabled: () => deps.settings().rateLimitsEnabled })
  app.post('/oidc/register', async (c) => {
    if (!deps.settings().dynamicRegistration) return c.notFound()
    const verdict = await limit.count(clientAddress(c.env.incoming, deps.trustProxy) ?? '')
    if (verdict.kind !== 'within') {
      c.header('retry-after', String(verdict.retryAfterSeconds))
      return c.json({ error: 'too_many_requests', error_description: 'Too many registrations.' }, 429)
    }
    const { status, body } = await registerClient(deps, documentOf(await c.req.text()))
    c.header('cache-control', 'no-store')
    return c.json(body, status)
  })
}

function documentOf(text: string): unknown {
  if (text.length > MAX_CHARACTERS) return undefined
  try {
    return parseStrictJson(text)
  } catch {
    return undefined
  }
}
