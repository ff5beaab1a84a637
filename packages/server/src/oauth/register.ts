// Dynamic client registration (RFC 7591), where the operator allows it: a client of somebody else, for people who consent,
// which never exchanges for tokens of the vault.
import { newClientId, randomToken, sha256Hex } from '../crypto/hashing.ts'
import { parseClient } from '../domain/client.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'
import { clientCreateBody } from '../protocol/client-document.ts'
import { type Registration, registrationBody } from '../protocol/registration.ts'
import type { Repositories, Storage } from '../storage/storage.ts'

export interface RegistrationDeps {
  readonly storage: Storage
  readonly clock: Clock
}

export interface RegistrationAnswer {
  readonly status: 201 | 400
  readonly body: JsonObject
}

/** @param body the request's JSON. */
export async function registerClient({ storage, clock }: RegistrationDeps, body: unknown): Promise<RegistrationAnswer> {
  const parsed = registrationBody.safeParse(body)
  if (!parsed.success) return refused(parsed.error.issues[0]?.path ?? [])
  const document = documentOf(parsed.data)
  const checked = clientCreateBody.safeParse(document)
  if (!checked.success) return refused(checked.error.issues[0]?.path ?? [])
  if (await isNameOfOurs(storage, document.name)) return refused(['client_name'])
  const clientId = newClientId()
  const secret = parsed.data.token_endpoint_auth_method === 'none' ? undefined : randomToken(48)
  const at = clock()
  await storage.transaction(async (tx) => {
    const secretHash = secret === undefined ? undefined : sha256Hex(secret)
    await tx.clients.insert({ clientId, secretHash, document, createdAt: at, updatedAt: at })
    await enableDomainConnections(tx, clientId)
    await tx.events.append({ type: 'client.registered', at, outcome: 'ok', clientId })
  })
  return { status: 201, body: answerOf(parsed.data, { clientId, secret, name: document.name, at }) }
}

const UNNAMED = 'An unnamed app'

function documentOf(given: Registration) {
  const { client_name: name, redirect_uris: callbacks, grant_types: grantTypes } = given
  return {
    name: name?.trim() || UNNAMED,
    app_type: given.application_type === 'native' ? 'native' : 'regular_web',
    is_first_party: false,
    callbacks,
    grant_types: [...new Set(grantTypes)],
    token_endpoint_auth_method: given.token_endpoint_auth_method,
  }
}

const PAGE = 500

/** Nobody passes for one of the tenant's own apps by its name (T-AS-09). */
async function isNameOfOurs({ clients }: Repositories, name: string): Promise<boolean> {
  const wanted = folded(name)
  for (let offset = 0; ; offset += PAGE) {
    const { items } = await clients.list({ offset, limit: PAGE })
    const own = items.map(parseClient).filter(({ firstParty }) => firstParty)
    if (own.some((client) => folded(client.name) === wanted)) return true
    if (items.length < PAGE) return false
  }
}

const folded = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s\p{Cf}]+/gu, '')

async function enableDomainConnections(tx: Repositories, clientId: string): Promise<void> {
  for (let offset = 0; ; offset += PAGE) {
    const { items } = await tx.connections.list({ offset, limit: PAGE })
    for (const { id, document } of items)
      if (document.is_domain_connection === true) await tx.connections.setClient(id, clientId, true)
    if (items.length < PAGE) return
  }
}

/** RFC 7591 §3.2.1: what was registered, which may be less than what was asked. */
const answerOf = (
  given: Registration,
  made: { clientId: string; secret: string | undefined; name: string; at: EpochSeconds },
): JsonObject => ({
  client_id: made.clientId,
  client_id_issued_at: made.at,
  ...(made.secret === undefined ? {} : { client_secret: made.secret, client_secret_expires_at: 0 }),
  client_name: made.name,
  redirect_uris: given.redirect_uris,
  grant_types: [...new Set(given.grant_types)],
  response_types: given.response_types,
  token_endpoint_auth_method: given.token_endpoint_auth_method,
  application_type: given.application_type,
})

/** RFC 7591 §3.2.2. */
function refused(path: readonly PropertyKey[]): RegistrationAnswer {
  const [member = 'the body'] = path
  const isRedirect = member === 'redirect_uris' || member === 'callbacks'
  const place = isRedirect ? 'redirect_uris' : String(member)
  const description = `${place} is not as it may be registered here`
  return {
    status: 400,
    body: isRedirect
      ? { error: 'invalid_redirect_uri', error_description: description }
      : { error: 'invalid_client_metadata', error_description: description },
  }
}
