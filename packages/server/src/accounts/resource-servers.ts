// APIs and what clients may ask of them. Ids follow from what they name, so that two nodes that start at once agree.
import { sha256Hex } from '../crypto/hashing.ts'
import { isString, type JsonObject, stringsOf } from '../lib/json.ts'
import { MANAGEMENT_SCOPES, MY_ACCOUNT_SCOPES } from '../protocol/api-scopes.ts'
import { builtInAudiences, MANAGEMENT_API_PATH, MY_ACCOUNT_API_PATH } from '../protocol/built-in.ts'
import type { ClientGrantRecord, ResourceServerRecord, SubjectType } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'

/** 24 hex digits, as SDKs know them. */
const serverId = (identifier: string): string => sha256Hex(`resource server ${identifier}`).slice(0, 24)

const grantId = (clientId: string, audience: string, subjectType: SubjectType): string =>
  `cgr_${sha256Hex(JSON.stringify([clientId, audience, subjectType])).slice(0, 16)}`

/** Makes sure that the two built-in APIs stand, with all their scopes. */
export async function putSystemServers(tx: Repositories, issuer: string): Promise<void> {
  await putSystem(tx, systemDocument(`${issuer}${MANAGEMENT_API_PATH}`, 'Management API', MANAGEMENT_SCOPES))
  await putSystem(tx, systemDocument(`${issuer}${MY_ACCOUNT_API_PATH}`, 'My Account API', MY_ACCOUNT_SCOPES))
}

function systemDocument(identifier: string, name: string, scopes: readonly string[]): JsonObject {
  return {
    identifier,
    name,
    is_system: true,
    scopes: scopes.map((value) => ({ value })),
    allow_offline_access: true,
    skip_consent_for_verifiable_first_party_clients: true,
    subject_type_authorization: {
      user: { policy: 'require_client_grant' },
      client: { policy: name === 'My Account API' ? 'deny_all' : 'require_client_grant' },
    },
  }
}

/** What an operator changed of it stays; scopes and who may ask are ours. */
async function putSystem(tx: Repositories, document: JsonObject): Promise<void> {
  const { identifier, scopes, is_system, subject_type_authorization } = document
  const before = await tx.resourceServers.findByIdentifier(String(identifier))
  const ours = { scopes, is_system, subject_type_authorization } as JsonObject
  await put(tx, before, { ...document, ...before?.document, ...ours })
}

/** Makes or changes an API; of a built-in one, what is its own stays. */
export async function putResourceServer(
  tx: Repositories,
  document: JsonObject,
  issuer: string,
): Promise<ResourceServerRecord> {
  const identifier = String(document.identifier)
  const before = await tx.resourceServers.findByIdentifier(identifier)
  if (!builtInAudiences(issuer).includes(identifier)) return put(tx, before, document)
  const { scopes: _, subject_type_authorization: __, ...changed } = document
  return put(tx, before, { ...before?.document, ...changed })
}

async function put(
  tx: Repositories,
  before: ResourceServerRecord | undefined,
  document: JsonObject,
): Promise<ResourceServerRecord> {
  const identifier = String(document.identifier)
  const record = { id: before?.id ?? serverId(identifier), identifier, document }
  if (before === undefined || JSON.stringify(before.document) !== JSON.stringify(document))
    await tx.resourceServers.put(record)
  return record
}

/** The row of a client grant; the one that stands for the same client, audience and subject keeps its id. */
export async function putClientGrant(tx: Repositories, document: JsonObject): Promise<ClientGrantRecord> {
  const { client_id: clientId, audience } = document
  if (!isString(clientId) || !isString(audience)) throw new TypeError('a client grant without client or audience')
  const subjectType = subjectTypeOf(document)
  const before = await tx.clientGrants.findFor(clientId, audience, subjectType)
  const record: ClientGrantRecord = {
    id: before?.id ?? grantId(clientId, audience, subjectType),
    clientId,
    audience,
    subjectType,
    scopes: stringsOf(document.scope),
    document,
  }
  if (before === undefined || JSON.stringify(before.document) !== JSON.stringify(document))
    await tx.clientGrants.put(record)
  return record
}

export const subjectTypeOf = (document: JsonObject): SubjectType =>
  document.subject_type === 'user' ? 'user' : 'client'
