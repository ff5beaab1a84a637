// Mails that tell people of links, and of a deletion that they did not make themselves: to every address that is proven theirs, whichever of them they read. Each mail about
// something new holds a link of its own by which it is denied, once.
import type { Keyring } from '../crypto/keyring.ts'
import { queueMail } from '../events/mail-queue.ts'
import { isString } from '../lib/json.ts'
import type { Repositories } from '../storage/storage.ts'
import { issueDenial } from './denials.ts'
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
  user_deleted: 'account-deleted',
} as const satisfies Readonly<Record<LinkNotice['kind'], string>>

/** Mails wait in the database until they are sent: queued exactly if the link is made. */
export function createLinkNotices({ issuer, keyring, tenant }: LinkNoticesDeps): LinkNotify {
  return async (tx, notice) => {
    const { kind, addresses, connection, at } = notice
    const tell = async (to: string) => {
      const link = `${issuer}${await denialPath(tx, notice, to)}`
      const values = { tenant: tenant(), at, link, ...(connection === undefined ? {} : { connection }) }
      await queueMail(tx, keyring, { to, template: TEMPLATES[kind], values })
    }
    await Promise.all(addresses.map(tell))
  }
}

/** Where the ways to sign in stand. */
const ACCOUNT_PATH = 'account/connections'

async function denialPath(
  tx: Repositories,
  { kind, linkId, userId, at }: LinkNotice,
  address: string,
): Promise<string> {
  // There is no account to lead to.
  if (kind === 'user_deleted') return ''
  const isNew = kind === 'users_linked' || kind === 'identity_linked'
  const link = isNew && linkId !== undefined ? await tx.links.find(linkId) : undefined
  if (link === undefined) return ACCOUNT_PATH
  return issueDenial(tx, { userId, address, at }, { boundTo: link.id, expiresAt: link.undoUntil })
}

/** A connection's name for people. */
export async function displayNameOf(repositories: Repositories, connectionId: string): Promise<string | undefined> {
  const connection = await repositories.connections.find(connectionId)
  const shown = connection?.document.display_name
  return isString(shown) && shown !== '' ? shown : connection?.name
}
