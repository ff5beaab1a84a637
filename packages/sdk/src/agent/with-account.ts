// A tool that works with a user's account: where there is none yet, it answers what to connect instead of failing.
import type { Agent, ExchangeRequest, Token } from './agent.ts'
import { type ConnectHint, NotConnected, ScopeMissing } from './refusals.ts'

/** The tool cannot work yet: show the user a button that connects this. */
export interface ConnectNeeded {
  readonly kind: 'connect'
  readonly connect: ConnectHint
  /** For the model: what to tell the user. */
  readonly message: string
}

export type ToolResult<T> = { readonly kind: 'done'; readonly value: T } | ConnectNeeded

export interface WithAccount extends Omit<ExchangeRequest, 'subject'> {
  readonly agent: Agent
}

/**
 * Wraps a tool's work, so that it gets a live token each time it is called.
 *
 * `not_connected` and `scope_missing` become a result that says what to connect; every other refusal is thrown as what it
 * is (`ReconnectRequired`, `ProviderUnavailable`, `PolicyDenied`, `ApprovalPending`, …).
 *
 * @param work what the tool does, with the provider's token and the tool's input.
 */
export const withAccount =
  <Input, Output>(
    { agent, ...wanted }: WithAccount,
    work: (token: Token, input: Input) => Output | Promise<Output>,
  ): ((subject: ExchangeRequest['subject'], input: Input) => Promise<ToolResult<Output>>) =>
  async (subject, input) => {
    const token = await agent.exchange({ ...wanted, subject }).catch(connectNeeded)
    return 'kind' in token ? token : { kind: 'done', value: await work(token, input) }
  }

function connectNeeded(error: unknown): ConnectNeeded {
  if (error instanceof NotConnected) {
    const { connection } = error.connect
    return { kind: 'connect', connect: error.connect, message: `The user has not connected ${connection} yet.` }
  }
  if (error instanceof ScopeMissing) {
    const { connection } = error.connect
    const missing = error.missingScopes.join(', ')
    return { kind: 'connect', connect: error.connect, message: `The user has not allowed ${missing} at ${connection}.` }
  }
  throw error
}
