// The tenant's settings (auth0-wire.md §6.4), ours among them.
import { z } from 'zod'
import { SETTINGS_KEY } from '../../accounts/apply-tenant.ts'
import { requireReachable } from '../../accounts/reachable-urls.ts'
import { putWebhooks } from '../../accounts/webhooks.ts'
import { parseWebhooks } from '../../domain/settings.ts'
import { isJsonObject, type JsonObject } from '../../lib/json.ts'
import { patchOf, withDefaults } from '../../protocol/fields.ts'
import { settingsDocument } from '../../protocol/settings-document.ts'
import type { Repositories } from '../../storage/storage.ts'
import { fieldsQuery, selectFields } from '../fields.ts'
import { type Operation, operation, validate } from '../operation.ts'
import type { ManagementDeps } from './deps.ts'
import { applyPatch, withoutNulls } from './patch.ts'

const shape = z.object({ friendly_name: z.string() }).partial().loose()

export function tenantSettingsOperations(deps: ManagementDeps): readonly Operation[] {
  return [find(deps), change(deps)]
}

const find = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/tenants/settings',
      summary: 'Settings of the tenant; secrets of webhooks are left out',
      tag: 'tenants',
      scopes: ['read:tenant_settings'],
      query: z.object(fieldsQuery),
      answers: { 200: { description: 'The settings', schema: shape } },
    },
    async ({ query }) => ({ status: 200, body: selectFields(await serializeSettings(storage), query) }),
  )

const change = ({ storage, clock, keyring, allowedPrivateNetworks }: ManagementDeps) =>
  operation(
    {
      method: 'patch',
      path: '/tenants/settings',
      summary: 'Change settings; members that are given replace those that stand, `null` removes',
      tag: 'tenants',
      scopes: ['update:tenant_settings'],
      body: patchOf(settingsDocument.shape),
      answers: { 200: { description: 'The settings', schema: shape } },
    },
    async ({ caller, body }) => {
      const { webhooks, ...others } = withoutNulls(body)
      await storage.transaction(async (tx) => {
        const after = applyPatch(await stored(tx), { ...body, webhooks: undefined })
        validate(settingsDocument, { ...after, ...others, ...(webhooks !== undefined && { webhooks }) }, 'body')
        if (body.webhooks !== undefined) {
          const receivers = parseWebhooks({ webhooks: webhooks ?? [] }) ?? []
          requireReachable(
            receivers.map(({ url }, index) => [`/webhooks/${index}/url`, url]),
            allowedPrivateNetworks,
          )
          await putWebhooks(tx, keyring, receivers)
        }
        await tx.meta.put(SETTINGS_KEY, JSON.stringify(after))
        await tx.events.append({
          type: 'settings.updated',
          at: clock(),
          outcome: 'ok',
          clientId: caller.clientId,
          data: { changed: Object.keys(body) },
        })
      })
      return { status: 200, body: await serializeSettings(storage) }
    },
  )

async function stored(storage: Repositories): Promise<JsonObject> {
  const document: unknown = JSON.parse((await storage.meta.find(SETTINGS_KEY)) ?? '{}')
  return isJsonObject(document) ? document : {}
}

/** Receivers of events are kept beside the document, for their secrets are sealed, and never shown. */
async function serializeSettings(storage: Repositories): Promise<JsonObject> {
  const webhooks = (await storage.webhooks.list()).map(({ url, patterns }) => ({ url, events: patterns }))
  return { ...withDefaults(settingsDocument, await stored(storage)), webhooks }
}
