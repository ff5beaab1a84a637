// The URL of a listening socket, which is the issuer when none is configured.
import { isIPv6 } from 'node:net'
import type { TlsConfig } from './server-config.ts'

interface Listening {
  readonly host: string
  readonly port: number
  readonly tls: TlsConfig
}

/** With a trailing slash. A socket bound to every address is reached by loopback. */
export function urlOf({ host, port, tls }: Listening): string {
  const reachable = REACHABLE[host] ?? host
  const name = isIPv6(reachable) ? `[${reachable}]` : reachable
  return new URL(`${tls.kind === 'none' ? 'http' : 'https'}://${name}:${port}/`).href
}

const REACHABLE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
