// What an agent needs of Tenon: tokens of its user's accounts, what it may use, and the way to connect what is missing.
export {
  type Agent,
  type AgentOptions,
  createAgent,
  type ExchangeRequest,
  type Subject,
  type Token,
} from './agent/agent.ts'
export { type KeyOptions, privateKeyJwt } from './agent/private-key-jwt.ts'
export {
  AccountAmbiguous,
  ApprovalPending,
  NotConnected,
  PolicyDenied,
  ProviderUnavailable,
  RateLimited,
  ReconnectRequired,
  ScopeMissing,
  TenonError,
  TenonRefusal,
} from './agent/refusals.ts'
export type {
  Capabilities,
  Connected,
  ConnectedAccount,
  ConnectHint,
  ConnectStart,
  Pending,
  User,
} from './agent/user.ts'
export { type ConnectNeeded, type ToolResult, type WithAccount, withAccount } from './agent/with-account.ts'
