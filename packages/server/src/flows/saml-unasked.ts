// A SAML response that we did not ask for: the person pressed our tile at their identity provider. It is never believed, as
// nothing ties it to this browser: whoever is sent somebody else's would work in an account that is not theirs (threats
// T-SAML-04, "login CSRF"). Where the operator wants such tiles to work, the application is told to begin, and the provider,
// where the person is signed in already, is asked in the ordinary way (OpenID Connect Core §4).
import { parseClient } from '../domain/client.ts'
import { type Connection, SAML_STRATEGY } from '../domain/connection.ts'
import { isJsonObject, isString } from '../lib/json.ts'
import type { FlowDeps } from './deps.ts'
import type { Outcome } from './outcome.ts'
import { callbackPathOf } from './upstream-start.ts'

const PREFIX = '/login/callback/'

/**
 * Sends the browser to where its application begins a sign-in; reads nothing of the response.
 *
 * @returns undefined where such responses are refused, which is the default.
 */
export async function beginUnasked(deps: FlowDeps, path: string): Promise<Outcome | undefined> {
  const name = nameIn(path)
  const connection = name === undefined ? undefined : await deps.connections.findByName(deps.storage, name)
  if (connection === undefined || callbackPathOf(connection) !== path) return undefined
  const clientId = beginnerOf(connection)
  const record = clientId === undefined ? undefined : await deps.storage.clients.find(clientId)
  const begin = record === undefined ? undefined : parseClient(record).initiateLoginUri
  if (begin === undefined) return undefined
  const url = new URL(begin)
  url.searchParams.set('iss', deps.issuer)
  url.searchParams.set('connection', connection.name)
  return { kind: 'redirect', url: url.href }
}

function nameIn(path: string): string | undefined {
  try {
    return path.startsWith(PREFIX) ? decodeURIComponent(path.slice(PREFIX.length)) : undefined
  } catch {
    // Not a path of ours.
    return undefined
  }
}

function beginnerOf({ strategy, options, authenticationActive }: Connection): string | undefined {
  const { idpinitiated: unasked } = options
  if (strategy !== SAML_STRATEGY || !authenticationActive || !isJsonObject(unasked)) return undefined
  return unasked.enabled === true && isString(unasked.client_id) ? unasked.client_id : undefined
}
