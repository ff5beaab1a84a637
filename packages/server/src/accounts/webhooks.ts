// Receivers of events as settings name them, and as they are kept: with their secrets sealed, beside what waits for them.
import { sha256Hex } from '../crypto/hashing.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Webhook } from '../domain/settings.ts'
import { openWebhookSecrets, sealWebhookSecrets } from '../events/webhook-secrets.ts'
import type { Repositories } from '../storage/storage.ts'

/**
 * Makes these the receivers of the deployment. One whose URL stays keeps what waits for it; one that is gone loses it.
 * Writes nothing where nothing changes.
 */
export async function putWebhooks(
  tx: Repositories,
  keyring: Pick<Keyring, 'seal' | 'open'>,
  webhooks: readonly Webhook[],
): Promise<void> {
  const before = new Map((await tx.webhooks.list()).map((record) => [record.id, record]))
  for (const { url, secrets, events } of webhooks) {
    const id = webhookId(url)
    const known = before.get(id)
    before.delete(id)
    const patterns = [...new Set(events)].sort()
    const same =
      known !== undefined && isSame(known.patterns, patterns) && isSame(openWebhookSecrets(keyring, known), secrets)
    if (!same) await tx.webhooks.put({ id, url, patterns, envelope: sealWebhookSecrets(keyring, id, secrets) })
  }
  for (const id of before.keys()) await tx.webhooks.delete(id)
}

/** From the URL, so that every node and every start gives it the same name. */
const webhookId = (url: string): string => `wh_${sha256Hex(url).slice(0, 24)}`

const isSame = (a: readonly string[], b: readonly string[]): boolean => JSON.stringify(a) === JSON.stringify(b)
