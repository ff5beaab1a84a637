// Which pages may call our JSON interfaces from a browser (auth0-wire.md §0 rule 12).
import { parseClient } from '../domain/client.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'
import { originsOf } from '../oauth/clients.ts'
import { EXPOSED_HEADERS } from '../protocol/exposed-headers.ts'
import type { Storage } from '../storage/storage.ts'

export interface Origins {
  /** True when some client names this origin. A preflight says not which client will ask. */
  isKnown(origin: string): Promise<boolean>
  /** True when this client names it. */
  isOf(origin: string, clientId: string): Promise<boolean>
}

const CACHED_SECONDS = 5
const PAGE = 500

/** Origins that clients name; known ones are remembered for a few seconds. */
export function createOrigins({ storage, clock }: { storage: Storage; clock: Clock }): Origins {
  let known: { readonly origins: Promise<ReadonlySet<string>>; readonly until: EpochSeconds } | undefined
  const allOrigins = () => {
    const now = clock()
    if (known === undefined || known.until <= now) {
      const origins = loadOrigins(storage)
      // A failed read is not remembered.
      origins.catch(() => {
        known = undefined
      })
      known = { origins, until: now + CACHED_SECONDS }
    }
    return known.origins
  }
  return {
    isKnown: async (origin) => (await allOrigins()).has(origin),
    async isOf(origin, clientId) {
      const client = await storage.clients.find(clientId)
      return client !== undefined && originsOf(parseClient(client)).includes(origin)
    },
  }
}

async function loadOrigins(storage: Storage): Promise<ReadonlySet<string>> {
  const origins = new Set<string>()
  for (let offset = 0; ; offset += PAGE) {
    const { items } = await storage.clients.list({ offset, limit: PAGE })
    for (const item of items) for (const origin of originsOf(parseClient(item))) origins.add(origin)
    if (items.length < PAGE) return origins
  }
}

const METHODS = 'GET, POST, PATCH, PUT, DELETE'
const REQUEST_HEADERS = 'authorization, content-type, auth0-client, dpop, tenon-host, tenon-purpose'
const PREFLIGHT_SECONDS = 600

/** The answer to a preflight; without the allowing headers for a page that nobody named. */
export function preflight(origin: string | undefined, allowed: boolean): Response {
  const headers = new Headers({ vary: 'Origin' })
  if (origin !== undefined && allowed) {
    headers.set('access-control-allow-origin', origin)
    headers.set('access-control-allow-methods', METHODS)
    headers.set('access-control-allow-headers', REQUEST_HEADERS)
    headers.set('access-control-max-age', String(PREFLIGHT_SECONDS))
  }
  return new Response(null, { status: 204, headers })
}

/** Lets the page read this answer. No credentials: these interfaces look at no cookie. */
export function allowOrigin(response: Response, origin: string): void {
  response.headers.set('access-control-allow-origin', origin)
  response.headers.set('access-control-expose-headers', EXPOSED_HEADERS)
}
