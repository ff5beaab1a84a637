// Whether an address is one of those that somebody listed.
import ipaddr from 'ipaddr.js'

/** True for an IP address or a network in CIDR notation. */
export const isNetwork = (text: string): boolean => ipaddr.isValidCIDR(text) || ipaddr.isValid(text)

/** @param networks addresses and networks (`isNetwork`). An IPv4 address inside IPv6 counts as itself. */
export function isInNetworks(address: string, networks: readonly string[]): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  return networks.some((network) => {
    if (!isNetwork(network)) return false
    const [range, bits] = network.includes('/') ? ipaddr.parseCIDR(network) : [ipaddr.parse(network), undefined]
    if (range.kind() !== parsed.kind()) return false
    return parsed.match(range as ipaddr.IPv4, bits ?? (parsed.kind() === 'ipv4' ? 32 : 128))
  })
}
