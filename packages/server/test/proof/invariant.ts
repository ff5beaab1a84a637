// What must hold in every state, and between a state and the next.
import { type Evidence, enterable, type Facts, identitiesOf, reachable, rowsOf, survivor } from './facts.ts'
import { ACCOUNTS, ADDRESSES, accountsOf, OTHER, type ProviderAccount, type Who } from './people.ts'

/** What is wrong with this state, when something is. */
export function violation(before: Facts | undefined, after: Facts): string | undefined {
  return (
    sharedUser(after) ??
    foreignProof(after, 'attacker') ??
    foreignProof(after, 'victim') ??
    foreignTokens(after, 'attacker') ??
    foreignTokens(after, 'victim') ??
    lockedOut(after) ??
    (before && leftSquatting(before, after))
  )
}

/** Nobody reaches a user of the other: by session, by token, by signing in. */
function sharedUser(facts: Facts): string | undefined {
  const theirs = reachable(facts, 'victim')
  for (const userId of reachable(facts, 'attacker'))
    if (theirs.has(userId)) return `both the victim and the attacker reach ${userId}`
  return undefined
}

/**
 * No user of one holds the other's address as proven. What a provider says of one's own account there is its word, and
 * stands for as much as the operator gave it.
 */
function foreignProof(facts: Facts, who: Who): string | undefined {
  const users = reachable(facts, who)
  const foreign = facts.evidence.find(
    (one) =>
      one.grade >= 1 && one.address === ADDRESSES[OTHER[who]] && users.has(one.userId) && !isOwnWord(facts, who, one),
  )
  return foreign && `${foreign.userId} of the ${who} holds ${foreign.address} at G${foreign.grade} by ${foreign.source}`
}

const isOwnWord = (facts: Facts, who: Who, { userId, address, source }: Evidence): boolean =>
  accountsOf(who, facts.people)
    .map((name): ProviderAccount => ACCOUNTS[name])
    .some(
      ({ provider, subject, email }) =>
        source === `connection:${provider}` &&
        email === address &&
        identitiesOf(facts, userId).some((one) => one.connection === provider && one.subject === subject),
    )

/** Tokens of an account at a provider are kept for its owner alone. */
function foreignTokens(facts: Facts, who: Who): string | undefined {
  const users = reachable(facts, who)
  const others = accountsOf(OTHER[who], facts.people).map((name): ProviderAccount => ACCOUNTS[name])
  const kept = rowsOf(facts.tables, 'accounts').find(
    (row) =>
      users.has(String(row.user_id)) &&
      others.some(
        ({ provider, subject }) =>
          subject === row.subject && provider === facts.connectionNames.get(String(row.connection_id)),
      ),
  )
  return kept && `tokens of ${kept.label} are kept for ${kept.user_id}, a user of the ${who}`
}

/** Whoever the victim was once signed in as, they can sign in as, or as the one it was merged into. */
function lockedOut(facts: Facts): string | undefined {
  const ways = enterable(facts, 'victim')
  const lost = facts.people.entered.find((userId) => !ways.has(survivor(facts, userId)))
  return lost && `the victim cannot sign in as ${lost} any more`
}

/** Once the victim proves their address for the first time, nobody else who merely claimed it keeps it. */
function leftSquatting(before: Facts, after: Facts): string | undefined {
  if (holdsOwn(before) || !holdsOwn(after)) return undefined
  const users = reachable(after, 'victim')
  const address = ADDRESSES.victim
  const proven = new Set(
    after.evidence.filter((one) => one.address === address && one.grade >= 1).map(({ userId }) => userId),
  )
  const squatter = after.evidence.find(
    (one) => one.address === address && !proven.has(one.userId) && !users.has(one.userId),
  )
  if (squatter) return `${squatter.userId} still claims the address that the victim has proven`
  const password = after.identities.find((one) => one.password?.address === address && !users.has(one.userId))
  return password && `${password.userId} still signs in by the address that the victim has proven`
}

function holdsOwn(facts: Facts): boolean {
  const users = reachable(facts, 'victim')
  return facts.evidence.some((one) => one.address === ADDRESSES.victim && one.grade >= 1 && users.has(one.userId))
}
