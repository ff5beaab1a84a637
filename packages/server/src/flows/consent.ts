// Asking before another maker's app learns who somebody is.
import { parseClient } from '../domain/client.ts'
import { isString } from '../lib/json.ts'
import { grantConsent, plainScopes } from '../oauth/consent-grant.ts'
import { VAULT_GRANT } from '../protocol/grant-types.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { settle } from './interactions.ts'
import type { OpenInteraction } from './login.ts'
import type { Outcome } from './outcome.ts'
import { shownUser } from './shown-user.ts'

export async function consentPage(deps: FlowDeps, request: BrowserRequest, open: OpenInteraction): Promise<Outcome> {
  const { storage } = deps
  const { interaction, clientId } = open
  const record = clientId === undefined ? undefined : await storage.clients.find(clientId)
  const user = request.session && (await storage.users.find(request.session.userId))
  if (record === undefined || user === undefined) throw new FlowError('interaction_expired')
  const client = parseClient(record)
  const { redirect_uri: redirectUri, scope } = interaction.params
  return {
    kind: 'page',
    page: {
      name: 'consent',
      state: interaction.uid,
      client: { name: client.name, host: isString(redirectUri) ? URL.parse(redirectUri)?.host : undefined },
      scopes: plainScopes(isString(scope) ? scope : ''),
      mayUseAccounts: client.grantTypes.includes(VAULT_GRANT),
      user: shownUser(user),
    },
  }
}

/** What the person answers; a yes becomes a grant of exactly what was asked. */
export async function submitConsent(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  allowed: boolean,
): Promise<Outcome> {
  const { interaction, clientId } = open
  const { session } = request
  if (session === undefined || clientId === undefined) throw new FlowError('interaction_expired')
  if (!allowed) {
    await deps.storage.transaction((tx) =>
      settle(tx, interaction, { error: 'access_denied', error_description: 'The person did not allow it.' }),
    )
    return { kind: 'redirect', url: interaction.returnTo, cookies: withBrowserCookie(request) }
  }
  await deps.storage.transaction(async (tx) => {
    const grantId = await grantConsent(
      tx,
      { interaction: interaction.params, clientId, session },
      { issuer: deps.issuer, at: deps.clock() },
    )
    await settle(tx, interaction, { consent: { grantId } })
    await tx.events.append({ type: 'consent.given', at: deps.clock(), outcome: 'ok', userId: session.userId, clientId })
  })
  return { kind: 'redirect', url: interaction.returnTo, cookies: withBrowserCookie(request) }
}
