// `/dbconnections/*`: signing up and asking for a new password from an app's own form (auth0-wire.md §1.9).
import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import type { z } from 'zod'
import type { Origins } from '../api/cors.ts'
import { changePasswordByApi, type DatabaseAnswer, signUpByApi } from '../flows/database-api.ts'
import type { FlowDeps } from '../flows/deps.ts'
import { createMinuteLimit } from '../lib/minute-limit.ts'
import { changePasswordBody, signUpBody } from '../protocol/database-api.ts'
import { preflights, readable } from './cross-origin.ts'
import { clientAddress, fieldsOf } from './http.ts'

export interface DatabaseRoutesDeps extends FlowDeps {
  readonly origins: Origins
  readonly trustProxy: readonly string[]
}

type Env = { Bindings: HttpBindings }
type Page = Context<Env>

/** From one address of the network in a minute: each may send a mail. */
const CALLS = 60

export function databaseRoutes(app: Hono<Env>, deps: DatabaseRoutesDeps): void {
  const limit = createMinuteLimit({ points: CALLS, enabled: () => deps.settings().rateLimitsEnabled })
  const serve =
    <B extends z.ZodType>(schema: B, handle: (body: z.infer<B>) => Promise<DatabaseAnswer>, taken: Taken) =>
    async (c: Page) => {
      const verdict = await limit.count(clientAddress(c.env.incoming, deps.trustProxy) ?? '')
      const answer = verdict.kind === 'within' ? await read(c, schema, handle) : limited()
      const response = answer.kind === 'taken' ? taken(c, answer.body) : refuse(c, answer)
      response.headers.set('cache-control', 'no-store')
      return readable(c, response, deps.origins)
    }
  preflights(app, '/dbconnections/*', deps.origins)
  app.post(
    '/dbconnections/signup',
    serve(
      signUpBody,
      (body) => signUpByApi(deps, body),
      (c, body) => c.json(body),
    ),
  )
  app.post(
    '/dbconnections/change_password',
    serve(
      changePasswordBody,
      (body) => changePasswordByApi(deps, body),
      (c) => c.text("We've just sent you an email to reset your password."),
    ),
  )
}

type Taken = (c: Page, body: Extract<DatabaseAnswer, { kind: 'taken' }>['body']) => Response
type Refused = Exclude<DatabaseAnswer, { kind: 'taken' }>

const limited = () => ({ kind: 'limited' }) as const

async function read<B extends z.ZodType>(
  c: Page,
  schema: B,
  handle: (body: z.infer<B>) => Promise<DatabaseAnswer>,
): Promise<DatabaseAnswer> {
  const parsed = schema.safeParse(fieldsOf(c.req.header('content-type'), await c.req.text()))
  if (parsed.success) return handle(parsed.data)
  const place = parsed.error.issues[0]?.path.join('.') ?? ''
  return { kind: 'refused', code: 'invalid_request', description: `Missing or malformed: ${place || 'the body'}` }
}

/** Old SDKs read `code` and `description`, others `error`. */
function refuse(c: Page, answer: Refused): Response {
  if (answer.kind === 'limited') {
    c.header('retry-after', '60')
    return c.json({ code: 'too_many_requests', error: 'too_many_requests', statusCode: 429 }, 429)
  }
  const { code, description } = answer
  return c.json({ name: 'BadRequestError', code, error: code, description, statusCode: 400 }, 400)
}
