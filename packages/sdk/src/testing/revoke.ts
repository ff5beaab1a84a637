/** Revocation: RFC 7009, and GitHub's own way of deleting a token or a grant. */
import { authenticateClient } from './client-auth.ts'
import { type Answer, jsonAnswer, textAnswer } from './http.ts'
import type { RevocationEnds } from './options.ts'
import type { Provider, ProviderClient } from './provider.ts'
import { type Call, Refusal } from './shape.ts'
import { refusedAnswer } from './token.ts'

/** RFC 7009: 200 for an unknown token too. A DELETE is GitHub's. */
export function revoke(provider: Provider, call: Call): Answer {
  if (call.request.method === 'DELETE') return deleteToken()(provider, call)
  try {
    if (call.request.method !== 'POST') throw new Refusal('bad_request', 'POST is required')
    const client = authenticateClient(provider, call)
    if (call.entry.body.token === undefined) throw new Refusal('bad_request', 'token is missing')
    endToken(provider, client, call.entry.body.token, provider.revocationEnds)
    return jsonAnswer(200, {})
  } catch (error) {
    return refusedAnswer(provider, call, error)
  }
}

/** `DELETE /applications/{client_id}/token` and `…/grant` with `{"access_token": …}`: 204, or 404 for a dead token. */
export function deleteToken(ends?: RevocationEnds) {
  return (provider: Provider, call: Call): Answer => {
    try {
      if (call.request.method !== 'DELETE')
        return jsonAnswer(405, { message: 'Method Not Allowed' }, { allow: 'DELETE' })
      const client = authenticateClient(provider, call)
      const done = endToken(provider, client, call.entry.body.access_token, ends ?? provider.revocationEnds)
      return done ? textAnswer(204, '') : jsonAnswer(404, { message: 'Not Found' })
    } catch (error) {
      if (error instanceof Refusal) return jsonAnswer(401, { message: 'Bad credentials' })
      throw error
    }
  }
}

/** Ends what a token stands for, when it is this client's and still lives. */
export function endToken(
  provider: Provider,
  client: ProviderClient,
  token: string | undefined,
  ends: RevocationEnds,
): boolean {
  const family = provider.grants.findFamily(token)
  if (family === undefined || family.dead || family.clientId !== client.id) return false
  const doomed = ends === 'family' ? [family] : provider.grants.liveFamilies(family.userKey)
  for (const one of doomed) if (one.clientId === client.id) provider.grants.endFamily(one)
  return true
}
