/** Which client is calling, by `client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1). */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Provider, ProviderClient } from './provider.ts'
import { type Call, Refusal } from './shape.ts'

/** @throws {Refusal} unknown client, wrong secret, or two ways of authentication at once. */
export function authenticateClient(provider: Provider, { request, entry }: Call): ProviderClient {
  const { client_id: bodyId, client_secret: bodySecret } = entry.body
  const header = request.headers.authorization
  const basic = header === undefined ? undefined : parseBasic(header)
  if (header !== undefined && basic === undefined) throw new Refusal('bad_client', 'unusable Authorization header')
  if (basic !== undefined && bodySecret !== undefined) {
    throw new Refusal('bad_request', 'client authentication was sent twice')
  }
  if (basic !== undefined && bodyId !== undefined && bodyId !== basic.id) {
    throw new Refusal('bad_request', 'client_id differs from the authenticated client')
  }
  const { clientAuth } = provider.shape.quirks ?? {}
  if (clientAuth !== undefined && (clientAuth === 'basic') !== (basic !== undefined)) {
    throw new Refusal('bad_client', `client authentication is taken by ${clientAuth} alone`)
  }
  const client = provider.clients.get(basic?.id ?? bodyId ?? '')
  const secret = basic?.secret ?? bodySecret
  const { isSecret } = provider.shape.quirks ?? {}
  const fits = (given: string, { id, secret: kept }: ProviderClient) => isSecret?.(given, id) ?? isEqual(given, kept)
  if (client === undefined || secret === undefined || !fits(secret, client)) {
    throw new Refusal('bad_client', 'client authentication failed')
  }
  return client
}

export function isEqual(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}

function parseBasic(header: string): { readonly id: string; readonly secret: string } | undefined {
  const encoded = /^basic\s+(\S+)$/i.exec(header)?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  try {
    return { id: formDecode(text.slice(0, colon)), secret: formDecode(text.slice(colon + 1)) }
  } catch {
    return undefined
  }
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
