// The secrets that a webhook's messages are signed with, as they lie in the database: sealed.
import type { Keyring } from '../crypto/keyring.ts'
import { stringsOf } from '../lib/json.ts'

/** The present secret first. */
export const sealWebhookSecrets = (keyring: Pick<Keyring, 'seal'>, id: string, secrets: readonly string[]) =>
  keyring.seal(contextOf(id), Buffer.from(JSON.stringify(secrets)))

/** @throws {EnvelopeError} damaged, or of a key that is not here. */
export const openWebhookSecrets = (
  keyring: Pick<Keyring, 'open'>,
  { id, envelope }: { readonly id: string; readonly envelope: Uint8Array },
): readonly string[] => stringsOf(JSON.parse(keyring.open(contextOf(id), envelope).toString('utf8')))

const contextOf = (id: string): string => `webhook:${id}`
