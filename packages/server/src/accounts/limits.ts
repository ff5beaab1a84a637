// Limits on guessing and on mail. Counters are rows, so that nodes share them and a restart forgets none.
import { sha256Hex } from '../crypto/hashing.ts'
import type { Clock } from '../lib/time.ts'
import type { Storage } from '../storage/storage.ts'

export interface SignInLimits {
  /** True when this account or this address of the network failed too often; then nothing is tried. */
  check(account: string | undefined, ip: string | undefined): Promise<boolean>
  failed(account: string | undefined, ip: string | undefined): Promise<void>
  succeeded(account: string | undefined): Promise<void>
}

export interface MailLimits {
  /** Counts one mail to an address; true when it is one too many. */
  exceeded(address: string): Promise<boolean>
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

export function createSignInLimits(deps: LimitDeps): SignInLimits {
  const counters = createCounters(deps)
  return {
    async check(account, ip) {
      if (!deps.enabled()) return false
      const [byAccount, byAddress] = await Promise.all([
        counters.read('sign-in', account),
        counters.read('sign-in-from', ip),
      ])
      return byAccount >= FAILURES_PER_ACCOUNT || byAddress >= FAILURES_PER_NETWORK_ADDRESS
    },
    async failed(account, ip) {
      if (!deps.enabled()) return
      await Promise.all([counters.add('sign-in', account), counters.add('sign-in-from', ip)])
    },
    async succeeded(account) {
      if (deps.enabled() && account !== undefined) await counters.reset('sign-in', account)
    },
  }
}

export function createMailLimits(deps: LimitDeps): MailLimits {
  const counters = createCounters(deps)
  return { exceeded: async (address) => deps.enabled() && (await counters.add('mail', address)) > MAILS_PER_ADDRESS }
}

function createCounters({ storage, clock }: LimitDeps) {
  // Names and addresses do not stand in rows that nobody needs to read.
  const keyOf = (kind: string, name: string) => `${kind}:${sha256Hex(name)}`
  return {
    async read(kind: string, name: string | undefined): Promise<number> {
      if (name === undefined) return 0
      return (await storage.limits.find(keyOf(kind, name), clock()))?.points ?? 0
    },
    async add(kind: string, name: string | undefined): Promise<number> {
      if (name === undefined) return 0
      const now = clock()
      const counted = await storage.transaction((tx) => tx.limits.add(keyOf(kind, name), 1, now, now + WINDOW_SECONDS))
      return counted.points
    },
    reset: (kind: string, name: string): Promise<void> =>
      storage.transaction((tx) => tx.limits.delete(keyOf(kind, name))),
  }
}
