// Endpoints outside the JSON interfaces that pages of apps call by themselves (auth0-wire.md §0 rule 12).
import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import { allowOrigin, type Origins, preflight } from '../api/cors.ts'

type Env = { Bindings: HttpBindings }

/** Answers preflights of `path` to pages whose origin some client names. */
export function preflights(app: Hono<Env>, path: string, origins: Origins): void {
  app.options(path, async (c) => {
    const origin = c.req.header('origin')
    return preflight(origin, origin !== undefined && (await origins.isKnown(origin)))
  })
}

/** Lets the page that asked read the answer, where some client names its origin. */
export async function readable(c: Context<Env>, response: Response, origins: Origins): Promise<Response> {
  const origin = c.req.header('origin')
  if (origin !== undefined && (await origins.isKnown(origin))) allowOrigin(response, origin)
  return response
}
