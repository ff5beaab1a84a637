// The tenant's settings (auth0-wire.md §6.4), ours among them.
import { z } from 'zod'
import { SETTINGS_KEY } from '../../accounts/apply-tenant.ts'
import { requireReachable } from '../../accounts/reachable-urls.ts'
import { putWebhooks } from '../../accounts/webhooks.ts'
import { PASSWORD_STRATEGY } from '../../domain/connection.ts'
import { parseWebhooks } from '../../domain/settings.ts'
import { isJsonObject, isString, type JsonObject } from '../../lib/json.ts'
import { patchOf, withDefaults } from '../../protocol/fields.ts'
import { settingsDocument } from '../../protocol/settings-document.ts'
import type { Repositories } from '../../storage/storage.ts'
import { fieldsQuery, selectFields } from '../fields.ts'
import { type Operation, operation, validate } from '../operation.ts'
import { invalidBody } from '../refusal.ts'
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

const change = ({ storage, clock, keyring, allowedPrivateNetworks, settingsChanged }: ManagementDeps) =>
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
        await requireReferences(tx, others)
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
      await settingsChanged()
      return { status: 200, body: await serializeSettings(storage) }
    },
  )

/** @throws {ApiRefusal} 400 `invalid_body`: no such API or password connection. Auth0 writes `""` where none is set. */
async function requireReferences(storage: Repositories, { default_audience, default_directory }: JsonObject) {
  if (isString(default_audience) && default_audience !== '') {
    if ((await storage.resourceServers.findByIdentifier(default_audience)) === undefined)
      throw invalidBody('An API of that identifier does not exist.', '/default_audience')
  }
  if (isString(default_directory) && default_directory !== '') {
    const connection = await storage.connections.findByName(default_directory)
    if (connection?.strategy !== PASSWORD_STRATEGY)
      throw invalidBody('A password connection of that name does not exist.', '/default_directory')
  }
}

async function stored(storage: Repositories): Promise<JsonObject> {
  const document: unknown = JSON.parse((await storage.meta.find(SETTINGS_KEY)) ?? '{}')
  return isJsonObject(document) ? document : {}
}

/** Receivers of events are kept beside the document, for their secrets are sealed, and never shown. */
async function serializeSettings(storage: Repositories): Promise<JsonObject> {
  const webhooks = (await storage.webhooks.list()).map(({ url, patterns }) => ({ url, events: patterns }))
  return { ...withDefaults(settingsDocument, await stored(storage)), webhooks }
}
