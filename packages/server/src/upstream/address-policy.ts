// Which network addresses upstream calls may reach (threats T-NET-01). Pure: knows no DNS and opens nothing.
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Network = [Address, number]

export interface AddressPolicy {
  /** May this address be connected to, over `https:` or `http:`, at this port? */
  allows(address: string, protocol: string, port: number): boolean
}

// Only what IANA hands out as global unicast is public for IPv6; ipaddr.js names the exceptions inside it.
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]

// Services that listen above 1023 and are harmed, or answer, when somebody speaks HTTP to them.
const SERVICE_PORTS = new Set([
  1433, 1521, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 4444, 5060, 5061, 5432, 5672, 5900, 5984, 6000, 6379, 6566,
  6665, 6666, 6667, 6668, 6669, 6697, 9042, 9092, 9200, 9300, 11211, 27017,
])

/**
 * @param allowedPrivateNetworks CIDRs that may be reached although private: at any port, and by plain `http:` too.
 * @throws {TypeError} one of them is not a CIDR.
 */
export function createAddressPolicy(allowedPrivateNetworks: readonly string[]): AddressPolicy {
  const allowed = allowedPrivateNetworks.map(parseNetwork)
  return {
    allows(text, protocol, port) {
      if (!ipaddr.isValid(text)) return false
      const address = ipaddr.process(text)
      if (allowed.some((network) => contains(network, address))) return protocol === 'https:' || protocol === 'http:'
      return protocol === 'https:' && isPublicPort(port) && isPublic(address)
    },
  }
}

/**
 * False when the URL can be told to be forbidden by its text alone: no https or http, credentials in it, or a literal
 * address that the policy forbids. A name is for the moment of the call, for what it resolves to may change.
 */
export function literalAddressAllowed(url: string, allowedPrivateNetworks: readonly string[]): boolean {
  const parsed = parseOutgoingUrl(url)
  if (parsed === undefined) return false
  const host = literalHost(parsed)
  const policy = createAddressPolicy(allowedPrivateNetworks)
  if (host !== undefined) return policy.allows(host, parsed.protocol, portOf(parsed))
  // RFC 6761 §6.3: such names are the machine itself wherever they are asked.
  const isLocalhost = /^(.+\.)?localhost\.?$/.test(parsed.hostname)
  if (isLocalhost) return policy.allows('127.0.0.1', parsed.protocol, portOf(parsed))
  return allowedPrivateNetworks.length > 0 || (parsed.protocol === 'https:' && isPublicPort(portOf(parsed)))
}

/** An http or https URL without credentials, or `undefined`. */
export function parseOutgoingUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const isHttp = url.protocol === 'https:' || url.protocol === 'http:'
  return isHttp && url.username === '' && url.password === '' && url.hostname !== '' ? url : undefined
}

/** The address when the host is one, in whichever spelling (`0x7f000001`, `127.1`): the URL parser wrote it out. */
export function literalHost(url: URL): string | undefined {
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
  return isIP(host) === 0 ? undefined : host
}

export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
}

function parseNetwork(cidr: string): Network {
  if (!ipaddr.isValidCIDR(cidr)) throw new TypeError(`not a network in CIDR notation: ${cidr}`)
  return ipaddr.parseCIDR(cidr)
}

function contains([network, bits]: Network, address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, bits)
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false
  return address.kind() === 'ipv4' || contains(GLOBAL_UNICAST, address)
}

function isPublicPort(port: number): boolean {
  return port === 443 || (port >= 1024 && port <= 65_535 && !SERVICE_PORTS.has(port))
}
