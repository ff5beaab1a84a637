// `tenon link explain`: what a sign-in, or joining two users, would lead to now, and why. Asks the functions that decide.
import { previewMerge } from '../accounts/link.ts'
import { gatherSignInFacts } from '../accounts/sign-in-facts.ts'
import { canonicalAddress, gradeOf } from '../domain/address.ts'
import { Refusal } from '../domain/errors.ts'
import { explainRefusal, PLAN_REASONS } from '../domain/link-reasons.ts'
import { describeMergePlan } from '../domain/merge.ts'
import { decideSignIn, describeDecision, type SignInDecision, type SignInFacts } from '../domain/sign-in.ts'
import { SIGN_IN_CHANGES, SIGN_IN_REASONS, SIGN_IN_RULES } from '../domain/sign-in-reasons.ts'
import { isJsonObject } from '../lib/json.ts'
import { ConfigError } from '../protocol/config-error.ts'
import type { ConnectionRecord } from '../storage/records.ts'
import { findProfile } from '../upstream/registry.ts'
import type { CommandInput, ExitStatus } from './command.ts'
import { type DeploymentAccess, withDeployment } from './deployment-access.ts'
import { lastSaid, policyOf, settingsNow } from './link-options.ts'

export const explainLink = (input: CommandInput): Promise<ExitStatus> =>
  withDeployment<ExitStatus>(input, async (access) => {
    const [connection, primary] = ['connection', 'primary'].map((name) => lastSaid(input, name))
    if ((connection === undefined) === (primary === undefined))
      throw new ConfigError({
        code: 'missing_value',
        pointer: '--connection',
        found: connection === undefined ? 'nothing' : 'a sign-in and two users',
        expected: '--connection and --subject for a sign-in, or --primary and --secondary for two users',
      })
    if (connection !== undefined) await explainSignIn(input, access)
    else await explainMerge(input, access)
    return 0
  })

async function explainSignIn(input: CommandInput, { storage, clock }: DeploymentAccess): Promise<void> {
  const settings = await settingsNow(storage)
  const connection = await storage.connections.findByName(required(input, 'connection'))
  if (connection === undefined) throw unknown('connection', 'the name of a connection')
  const email = emailOf(input)
  const facts = await gatherSignInFacts(storage, {
    connectionId: connection.id,
    subject: required(input, 'subject'),
    email,
    grade: gradeOfArrival(input, connection, email),
    sessionUserId: lastSaid(input, 'session'),
    policy: policyOf(input, settings.linking.policy),
    operators: settings.operators,
    at: clock(),
  })
  const decision = decideSignIn(facts)
  if (input.commandLine.isOn('json')) input.print(JSON.stringify(documentOf(facts, decision)))
  else for (const line of sentencesOf(facts, decision)) input.print(line)
}

const documentOf = (facts: SignInFacts, decision: SignInDecision) => ({
  ...describeDecision(facts, decision),
  ...('userId' in decision ? { user_id: decision.userId } : {}),
  ...('sweep' in decision && decision.sweep.length > 0 ? { sweep: decision.sweep } : {}),
  explanation: SIGN_IN_REASONS[decision.reason],
  otherwise: decision.changes,
})

function sentencesOf(facts: SignInFacts, decision: SignInDecision): readonly string[] {
  const who = 'userId' in decision ? ` ${decision.userId}` : ''
  return [
    `Decision   ${decision.kind}${who}`,
    `Rule       ${decision.rule}: ${SIGN_IN_RULES[decision.rule]}`,
    `Reason     ${decision.reason}: ${SIGN_IN_REASONS[decision.reason]}`,
    `Policy     ${facts.policy}`,
    `Grade      ${facts.grade} (0 claimed, 1 by a trusted connection, 2 by an authoritative one, 3 proven by us)`,
    ...facts.holders.map(({ userId, grade, closed, privileged, separate }) => {
      const notes = [closed ? 'nothing may be added' : '', privileged ? 'operator' : '', separate ? 'kept apart' : '']
      return `Holder     ${[userId, `grade ${grade}`, ...notes.filter(Boolean)].join(', ')}`
    }),
    ...('sweep' in decision ? decision.sweep.map((userId) => `Sweep      ${userId} loses the address`) : []),
    ...decision.changes.map((change) => `Otherwise  ${change}: ${SIGN_IN_CHANGES[change]}`),
  ]
}

function emailOf(input: CommandInput): string | undefined {
  const text = lastSaid(input, 'email')
  const address = text === undefined ? undefined : canonicalAddress(text)
  if (text !== undefined && address === undefined) throw unknown('email', 'an address')
  return address
}

/** As the connection's options have it, and its vendor's own domains where it is the vendor itself. */
function gradeOfArrival(input: CommandInput, { strategy, document }: ConnectionRecord, email: string | undefined) {
  const options = isJsonObject(document.options) ? document.options : {}
  const isVendor = !isJsonObject(options.endpoints)
  return gradeOf({
    email,
    emailVerified: input.commandLine.isOn('email-verified'),
    connection: { options },
    authoritativeDomains: (isVendor ? findProfile(strategy)?.identity.emailAuthority?.domains : undefined) ?? [],
  })
}

async function explainMerge(input: CommandInput, { storage }: DeploymentAccess): Promise<void> {
  const { linking } = await settingsNow(storage)
  const pair = { primaryUserId: required(input, 'primary'), secondaryUserId: required(input, 'secondary') }
  const json = input.commandLine.isOn('json')
  try {
    const { plan, planHash } = await previewMerge(storage, { ...pair, policy: linking })
    const document = describeMergePlan(plan)
    if (json) return input.print(JSON.stringify({ decision: 'merge', plan_hash: planHash, ...document }))
    input.print(`Decision   merge ${pair.secondaryUserId} into ${pair.primaryUserId}`)
    input.print(`Plan       ${planHash}`)
    for (const { subject, outcome, why } of plan.identities) input.print(part('Identity', subject, outcome, why))
    for (const { id, outcome, why } of plan.accounts) input.print(part('Account', id, outcome, why))
    for (const { source, grade, outcome, why } of plan.addresses)
      input.print(part('Address', `said by ${source}, grade ${grade}`, outcome, why))
    for (const { clientId, outcome, why } of plan.stops) input.print(part('Stopped', clientId, outcome, why))
    for (const { store, key, outcome, why } of plan.metadata)
      input.print(part('Metadata', `${store}.${key}`, outcome, why))
    const { sessions, grants, refreshTokens } = plan.ended
    input.print(`Ends       ${sessions} sessions, ${grants} grants, ${refreshTokens} refresh tokens`)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { code, message } = error
    const sentence = explainRefusal(code) ?? message
    if (json) input.print(JSON.stringify({ decision: 'refuse', reason: code, explanation: sentence }))
    else for (const line of ['Decision   refuse', `Reason     ${code}: ${sentence}`]) input.print(line)
  }
  return undefined
}

const part = (what: string, name: string, outcome: string, why: keyof typeof PLAN_REASONS): string =>
  `${what.padEnd(10)} ${name}: ${outcome}, ${why}. ${PLAN_REASONS[why]}`

function required(input: CommandInput, name: string): string {
  const value = lastSaid(input, name)
  if (value !== undefined) return value
  throw new ConfigError({ code: 'missing_value', pointer: `--${name}`, found: 'nothing', expected: 'a value' })
}

const unknown = (name: string, expected: string) =>
  new ConfigError({ code: 'invalid_value', pointer: `--${name}`, found: 'something else', expected })
