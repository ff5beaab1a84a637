// Limits on guessing and on mail. Counters are rows, so that nodes share them and a restart forgets none.
import ipaddr from 'ipaddr.js'
import { sha256Hex } from '../crypto/hashing.ts'
import type { Clock } from '../lib/time.ts'
import type { Storage } from '../storage/storage.ts'

/** Who tries to sign in, as far as it is known before they did. */
export interface SignInTry {
  readonly account: string | undefined
  /** SHA-256 of the browser's own cookie. */
  readonly browser: string
  readonly ip: string | undefined
}

export interface SignInLimits {
  /**
   * Counts a try before it is made, so that many at once are counted as well. A browser in which the account signed in
   * before has a counter of its own: strangers who fail do not lock its owner out.
   *
   * @returns how long to wait when this account or this address of the network failed too often: then nothing is tried.
   */
  attempt(by: SignInTry): Promise<{ readonly retryAfterSeconds: number } | undefined>
  /** Takes the try back, for it was none of those that count. */
  succeeded(by: SignInTry): Promise<void>
}

export interface MailLimits {
  /** Counts one mail to an address; true when it is one too many. */
  exceeded(address: string): Promise<boolean>
}

/** Codes that devices show: guessing one lets a stranger's device be taken for one's own (RFC 8628 §5.1). */
export interface CodeLimits {
  /** Counts a try before it is made. @returns how long to wait when there were too many. */
  attempt(by: Pick<SignInTry, 'browser' | 'ip'>): Promise<{ readonly retryAfterSeconds: number } | undefined>
  /** Takes the try back. */
  succeeded(by: Pick<SignInTry, 'browser' | 'ip'>): Promise<void>
}

export interface LimitDeps {
  readonly storage: Storage
  readonly clock: Clock
  readonly enabled: () => boolean
}

const WINDOW_SECONDS = 900
const FAILURES_PER_ACCOUNT = 10
const FAILURES_PER_NETWORK_ADDRESS = 100
const MAILS_PER_ADDRESS = 5
const CODES_PER_BROWSER = 10
const CODES_PER_NETWORK_ADDRESS = 100
/** How long a browser in which somebody signed in stays known as theirs. */
const KNOWN_SECONDS = 90 * 24 * 3600

export function createSignInLimits(deps: LimitDeps): SignInLimits {
  const counters = createCounters(deps)
  const pairOf = ({ account, browser }: SignInTry) => (account === undefined ? undefined : `${browser} ${account}`)
  const isKnown = async (by: SignInTry) => (await counters.read('sign-in-known', pairOf(by))) > 0
  return {
    async attempt(by) {
      if (!deps.enabled()) return undefined
      const known = await isKnown(by)
      const [ofAccount, ofAddress] = await Promise.all([
        known ? counters.add('sign-in-here', pairOf(by)) : counters.add('sign-in', by.account),
        counters.add('sign-in-from', networkOf(by.ip)),
      ])
      const over = [
        ...(ofAccount.points > FAILURES_PER_ACCOUNT ? [ofAccount] : []),
        ...(ofAddress.points > FAILURES_PER_NETWORK_ADDRESS ? [ofAddress] : []),
      ].map(({ expiresAt }) => expiresAt)
      return over.length === 0
        ? undefined
        : { retryAfterSeconds: Math.max(1, ...over.map((end) => end - deps.clock())) }
    },
    async succeeded(by) {
      if (!deps.enabled() || by.account === undefined) return
      const known = await isKnown(by)
      await Promise.all([
        known ? counters.reset('sign-in-here', pairOf(by)) : counters.reset('sign-in', by.account),
        counters.add('sign-in-from', networkOf(by.ip), { points: -1 }),
        counters.add('sign-in-known', pairOf(by), { seconds: KNOWN_SECONDS }),
      ])
    },
  }
}

export function createMailLimits(deps: LimitDeps): MailLimits {
  const counters = createCounters(deps)
  return {
    exceeded: async (address) => deps.enabled() && (await counters.add('mail', address)).points > MAILS_PER_ADDRESS,
  }
}

export function createCodeLimits(deps: LimitDeps): CodeLimits {
  const counters = createCounters(deps)
  return {
    async attempt({ browser, ip }) {
      if (!deps.enabled()) return undefined
      const [here, from] = await Promise.all([
        counters.add('code-here', browser),
        counters.add('code-from', networkOf(ip)),
      ])
      const over = [
        ...(here.points > CODES_PER_BROWSER ? [here] : []),
        ...(from.points > CODES_PER_NETWORK_ADDRESS ? [from] : []),
      ].map(({ expiresAt }) => expiresAt)
      return over.length === 0
        ? undefined
        : { retryAfterSeconds: Math.max(1, ...over.map((end) => end - deps.clock())) }
    },
    async succeeded({ browser, ip }) {
      if (!deps.enabled()) return
      await Promise.all([
        counters.reset('code-here', browser),
        counters.add('code-from', networkOf(ip), { points: -1 }),
      ])
    },
  }
}

/** Whoever has an IPv6 address has the 2^64 beside it. */
function networkOf(ip: string | undefined): string | undefined {
  if (ip === undefined || !ipaddr.isValid(ip)) return ip
  const address = ipaddr.process(ip)
  return address instanceof ipaddr.IPv6 ? `${address.parts.slice(0, 4).join(':')}/64` : address.toString()
}

function createCounters({ storage, clock }: LimitDeps) {
  // Names and addresses do not stand in rows that nobody needs to read.
  const keyOf = (kind: string, name: string) => `${kind}:${sha256Hex(name)}`
  return {
    async read(kind: string, name: string | undefined): Promise<number> {
      if (name === undefined) return 0
      return (await storage.limits.find(keyOf(kind, name), clock()))?.points ?? 0
    },
    async add(
      kind: string,
      name: string | undefined,
      { points = 1, seconds = WINDOW_SECONDS }: { points?: number; seconds?: number } = {},
    ): Promise<{ readonly points: number; readonly expiresAt: number }> {
      const now = clock()
      if (name === undefined) return { points: 0, expiresAt: now }
      return storage.transaction((tx) => tx.limits.add(keyOf(kind, name), points, now, now + seconds))
    },
    async reset(kind: string, name: string | undefined): Promise<void> {
      if (name !== undefined) await storage.transaction((tx) => tx.limits.delete(keyOf(kind, name)))
    },
  }
}
