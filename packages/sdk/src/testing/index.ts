/** `@tenon/sdk/testing`: identity providers on loopback that behave as real ones do. */
export type { ApiRoute } from './api.ts'
export type { Caller } from './bearer.ts'
export * as bombs from './bombs.ts'
export { type CalendarProvider, startCalendarProvider } from './calendar.ts'
export { type CodeProvider, startCodeProvider } from './code.ts'
export type { Forgery, ForgeryTools } from './forgeries.ts'
export * as forgeries from './forgeries.ts'
export { startGithubProvider } from './github.ts'
export type { Family, IssuedSecret, SecretKind } from './grants.ts'
export type { Answer, Fields, Json } from './http.ts'
export type { CallFilter, Endpoint, LogEntry } from './journal.ts'
export type { SigningAlgorithm, SigningKey } from './keys.ts'
export { createSigningKey, signJwt } from './keys.ts'
export type { FailOptions, HangOptions, Responder } from './knobs.ts'
export { startOAuth2Provider } from './oauth2.ts'
export { startOidcProvider } from './oidc.ts'
export type {
  Behaviour,
  GithubOptions,
  OidcOptions,
  ProviderOptions,
  RefreshPolicy,
  RevocationEnds,
  Rotation,
  Tamper,
  TamperContext,
  Tampering,
} from './options.ts'
export type { MintedTokens, Provider, ProviderClient } from './provider.ts'
export type { CalendarEvent, PullRequest } from './samples.ts'
export type { Call } from './shape.ts'
export type { ProviderUser, UserDetails } from './users.ts'
export { startVendorProvider, type VendorName } from './vendor.ts'
