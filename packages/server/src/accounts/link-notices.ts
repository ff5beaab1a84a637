// Mails that tell people of links: to every address that is proven theirs, whichever of them they read.
import type { Keyring } from '../crypto/keyring.ts'
import { queueMail } from '../events/mail-queue.ts'
import { isString } from '../lib/json.ts'
import type { Repositories } from '../storage/storage.ts'
import type { LinkNotice, LinkNotify } from './link-deps.ts'

export interface LinkNoticesDeps {
  readonly issuer: string
  readonly keyring: Keyring
  readonly tenant: () => string
}

const TEMPLATES = {
  users_linked: 'accounts-joined',
  users_parted: 'accounts-parted',
  identity_linked: 'sign-in-added',
  identity_unlinked: 'sign-in-removed',
} as const satisfies Readonly<Record<LinkNotice['kind'], string>>

/** Mails wait in the database until they are sent: queued exactly if the link is made. */
export function createLinkNotices({ issuer, keyring, tenant }: LinkNoticesDeps): LinkNotify {
  // Where the ways to sign in stand, and where a link is undone.
  const link = `${issuer}account/connections`
  return async (tx, { kind, addresses, connection, at }) => {
    const values = { tenant: tenant(), at, link, ...(connection === undefined ? {} : { connection }) }
    for (const to of addresses) await queueMail(tx, keyring, { to, template: TEMPLATES[kind], values })
  }
}

/** A connection's name for people. */
export async function displayNameOf(repositories: Repositories, connectionId: string): Promise<string | undefined> {
  const connection = await repositories.connections.find(connectionId)
  const shown = connection?.document.display_name
  return isString(shown) && shown !== '' ? shown : connection?.name
}
