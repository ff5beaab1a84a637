// Scopes as providers name them: what to ask for, and what a grant covers.
import type { ScopeRules } from './connector.ts'

export interface ScopeFacts {
  /** The connection's own list. */
  readonly configured: readonly string[]
  /** The client's list replaces the configured one instead of adding to it (a connection whose tokens are kept). */
  readonly requestReplaces: boolean
  /** Sent whatever else is. */
  readonly always: readonly string[]
  /** Groups of spellings that mean the same. */
  readonly aliases: readonly (readonly string[])[]
  /** With one of these in front, a scope means the same as without. */
  readonly prefixes?: readonly string[]
  /** Granted without being named in an answer. */
  readonly unnamed?: readonly string[]
  /** Scope → what it contains. */
  readonly contains: Readonly<Record<string, readonly string[]>>
}

const OFFLINE_ACCESS = 'offline_access'

export function createScopeRules(facts: ScopeFacts): ScopeRules {
  const spellings = (granted: readonly string[]) =>
    unique(granted.flatMap((scope) => facts.aliases.find((group) => group.includes(scope)) ?? prefixed(facts, scope)))
  const covered = (granted: readonly string[]) => {
    const reached = new Set<string>()
    const visit = (scope: string) => {
      if (reached.has(scope)) return
      reached.add(scope)
      for (const one of [...spellings([scope]), ...containedIn(facts, scope)]) visit(one)
    }
    granted.forEach(visit)
    return reached
  }
  return {
    ask: (requested) => unique([...facts.always, ...chosen(facts, requested)]),
    missing: (wanted, granted) => {
      const reached = covered(granted)
      return unique(wanted).filter((scope) => !reached.has(scope) && !facts.unnamed?.includes(scope))
    },
    spellings,
  }
}

/** Scopes of a parameter, option or answer, whichever of space and comma separates them. */
export function splitScopes(text: string): readonly string[] {
  return unique(text.split(/[\s,]+/).filter((scope) => scope !== ''))
}

function chosen({ configured, requestReplaces }: ScopeFacts, requested: readonly string[]): readonly string[] {
  if (!requestReplaces) return [...configured, ...requested]
  if (requested.length === 0) return configured
  // A refresh token stays wanted although the client named only what it needs the access token for.
  return configured.includes(OFFLINE_ACCESS) ? [...requested, OFFLINE_ACCESS] : requested
}

/** A scope without a known prefix, and with each of them. */
function prefixed({ prefixes = [] }: ScopeFacts, scope: string): readonly string[] {
  if (prefixes.length === 0) return [scope]
  const prefix = prefixes.find((one) => scope.startsWith(one)) ?? ''
  const bare = scope.slice(prefix.length)
  // Scopes of another resource have an address of their own in front.
  return bare.includes('/') ? [scope] : [scope, bare, ...prefixes.map((one) => one + bare)]
}

function containedIn({ contains }: ScopeFacts, scope: string): readonly string[] {
  return Object.hasOwn(contains, scope) ? (contains[scope] ?? []) : []
}

function unique(scopes: readonly string[]): readonly string[] {
  return [...new Set(scopes)]
}
