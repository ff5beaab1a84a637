// The configuration of one process: read from flags and environment, checked, frozen once.
import type { JsonObject } from '../lib/json.ts'

export interface ServerConfig {
  /** 0 asks for a free one. */
  readonly port: number
  readonly host: string
  /** Undefined: the listening URL with a trailing slash. */
  readonly issuer: string | undefined
  /** Absolute. */
  readonly dataDir: string
  readonly database: DatabaseConfig
  readonly tenant: TenantSource | undefined
  readonly tls: TlsConfig
  /** `file:PATH` (absolute; made on first start) or `env:NAME`, as the keyring takes it. */
  readonly vaultKey: string
  /** CIDRs of the proxies whose `X-Forwarded-*` are believed. */
  readonly trustProxy: readonly string[]
  /** CIDRs that upstream calls may reach although private. */
  readonly dangerouslyAllowUpstreamNetwork: readonly string[]
  readonly workers: number
  readonly mail: MailConfig
  readonly metricsPort: number | undefined
}

/** `url` is what the storage opens. */
export type DatabaseConfig =
  | { readonly kind: 'sqlite'; readonly path: string; readonly url: string }
  | { readonly kind: 'postgres'; readonly url: string }

export type TlsConfig =
  | { readonly kind: 'none' }
  | { readonly kind: 'files'; readonly cert: string; readonly key: string }
  | { readonly kind: 'self-signed'; readonly folder: string }

export type MailConfig =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'smtp'; readonly url: string }

/** The tenant file, checked, with environment variables filled in; `<issuer>` still stands in it. */
export interface TenantSource {
  readonly path: string
  readonly document: JsonObject
}
