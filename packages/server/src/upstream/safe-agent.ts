// Opens the sockets of every upstream call: a name is resolved once, every address behind it is checked, and the
// connection goes to a checked address, so that a second answer of the name server changes nothing.
import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector } from 'undici'
import type { AddressPolicy } from './address-policy.ts'
import { UpstreamRefused } from './errors.ts'

const CONNECT_TIMEOUT_MS = 3000
const MAX_HEADER_BYTES = 16 * 1024
/** Sockets to one origin: a slow provider cannot take them all from the others. */
const MAX_SOCKETS_PER_ORIGIN = 64

/** Resolves a name to all its addresses. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>

export function createSafeAgent(policy: AddressPolicy, resolve: Resolve = resolveBySystem): Agent {
  return new Agent({
    connect: (options, callback) => {
      const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80)
      const mayReach = (address: string) => policy.allows(address, options.protocol, port)
      // A literal address is never looked up, so that it is checked here.
      if (isIP(options.hostname) !== 0 && !mayReach(options.hostname)) return callback(blocked(), null)
      const connect = buildConnector({
        allowH2: false,
        timeout: CONNECT_TIMEOUT_MS,
        lookup: checkedLookup(resolve, mayReach),
      })
      return connect(options, callback)
    },
    connections: MAX_SOCKETS_PER_ORIGIN,
    maxHeaderSize: MAX_HEADER_BYTES,
    allowH2: false,
  })
}

/** One forbidden address among the answers forbids the name: what else it says is not worth trusting. */
function checkedLookup(resolve: Resolve, mayReach: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses
        if (first === undefined || !addresses.every(({ address }) => mayReach(address))) return callback(blocked(), '')
        if (options.all) return callback(null, [...addresses])
        return callback(null, first.address, first.family)
      },
      (cause) => callback(cause, ''),
    )
  }
}

function resolveBySystem(hostname: string): Promise<readonly LookupAddress[]> {
  return new Promise((done, failed) => {
    systemLookup(hostname, { all: true }, (error, addresses) => (error ? failed(error) : done(addresses)))
  })
}

const blocked = () => new UpstreamRefused('address_blocked')
