// Tells ahead that an account will stop working by itself: one event for each account and end, on whichever node comes first.
import { sha256Hex } from '../crypto/hashing.ts'
import {
  END_NOTICE_SECONDS,
  type EndReason,
  endOf,
  isToldAhead,
  mayStandStill,
  whyItEnds,
} from '../domain/account-end.ts'
import type { NewEvent } from '../domain/event.ts'
import type { VaultAccount } from '../domain/tokenset.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { ConnectorTraits } from '../upstream/connector.ts'
import { ConnectionUnavailable } from '../upstream/errors.ts'
import type { VaultParts } from './parts.ts'

const PAGE = 200
/** Marks outlive the end by this, so that no node whose clock is behind tells it again. */
const CLOCKS_APART_SECONDS = 86_400

interface Parts extends Pick<VaultParts, 'storage' | 'clock'> {
  /** As the vault's own; of a connector, what is known of its provider's consents. */
  connectorFor(
    connectionId: string,
  ): Promise<{ readonly traits: Pick<ConnectorTraits, 'refreshTokenEndsAfterSeconds'> } | undefined>
}

interface Ending {
  readonly account: VaultAccount
  readonly endsAt: EpochSeconds
  readonly why: EndReason
}

/** Looks at every account that ends within the notice; writes for those that were not told yet. */
export async function tellEndings(parts: Parts): Promise<void> {
  const now = parts.clock()
  const before = now + END_NOTICE_SECONDS
  let past = { at: now, id: '' }
  for (;;) {
    const page = await parts.storage.accounts.listEnding({ past, before, limit: PAGE })
    const endings = (await Promise.all(page.map((account) => endingOf(parts, account)))).filter(
      (one) => one !== undefined,
    )
    const still = await standingStill(
      parts,
      endings.filter(({ account, why }) => mayStandStill(account, why, now)),
    )
    await tell(parts, [...endings.filter(({ account, why }) => isToldAhead(account, why, now)), ...still], now)
    const last = page.at(-1)
    const at = last && endOf(last)
    if (last === undefined || at === undefined || page.length < PAGE) return
    past = { at, id: last.id }
  }
}

async function endingOf(parts: Parts, account: VaultAccount): Promise<Ending | undefined> {
  const endsAt = endOf(account)
  if (endsAt === undefined) return undefined
  const connector = await parts.connectorFor(account.connectionId).catch((error: unknown) => {
    if (error instanceof ConnectionUnavailable) return undefined
    throw error
  })
  return { account, endsAt, why: whyItEnds(account, connector?.traits.refreshTokenEndsAfterSeconds) }
}

/** Those whose tokens were renewed since somebody looked, and whose end is where it was: no use puts it off. */
async function standingStill({ storage }: Parts, endings: readonly Ending[]): Promise<readonly Ending[]> {
  if (endings.length === 0) return []
  const marks = endings.map((ending) => [generationMark(ending), ...standMarks(ending)])
  const firsts = await storage.transaction((tx) => tx.replays.insertAllOnce(marks.flat()))
  return endings.filter((_, index) => {
    const [isRenewed, ...areNew] = firsts.slice(index * MARKS_EACH, (index + 1) * MARKS_EACH)
    return isRenewed === true && areNew.includes(false)
  })
}

const MARKS_EACH = 3
const MOMENT_SECONDS = 60

const generationMark = ({ account, endsAt }: Ending) => ({
  idHash: sha256Hex(`account renewed ${account.id} ${account.generation}`),
  expiresAt: endsAt + CLOCKS_APART_SECONDS,
})

/**
 * Providers that name the seconds that are left are a moment off each time. Ends that are less than a moment apart share one
 * of two spans that overlap by half, wherever the spans begin.
 */
const standMarks = ({ account, endsAt }: Ending) =>
  [0, MOMENT_SECONDS].map((shift) => ({
    idHash: sha256Hex(`account end ${account.id} ${shift} ${Math.floor((endsAt + shift) / (2 * MOMENT_SECONDS))}`),
    expiresAt: endsAt + CLOCKS_APART_SECONDS,
  }))

/** The mark and the event are one transaction: of two nodes, the one that writes the mark writes the event. */
async function tell({ storage }: Parts, endings: readonly Ending[], now: EpochSeconds): Promise<void> {
  if (endings.length === 0) return
  await storage.transaction(async (tx) => {
    const firsts = await tx.replays.insertAllOnce(endings.map(markOf))
    await tx.events.appendAll(endings.filter((_, index) => firsts[index]).map((ending) => eventOf(ending, now)))
  })
}

const markOf = ({ account, endsAt }: Ending) => ({
  idHash: sha256Hex(`account ending ${account.id} ${Math.round(endsAt / 3600)}`),
  expiresAt: endsAt + CLOCKS_APART_SECONDS,
})

const eventOf = ({ account, endsAt, why }: Ending, at: EpochSeconds): NewEvent => ({
  type: 'vault.ending',
  at,
  outcome: 'ok',
  userId: account.userId,
  connectionId: account.connectionId,
  accountId: account.id,
  data: { ends_at: endsAt, why, purpose: account.purpose },
})
