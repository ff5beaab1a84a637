// Two things go by the name of RFC 8693: a token of a connection, which the exchange serves, and one of our own, which the
// engine makes. What the request names tells which.
import { TOKEN_EXCHANGE_GRANT } from '../protocol/grant-types.ts'
import type { Storage } from '../storage/storage.ts'
import { ACCESS_TOKEN_TYPE, type ExchangeBody, REFRESH_TOKEN_TYPE, readForm } from './exchange-request.ts'

/** True when a token of ours is asked for. Nothing is refused here, and nobody authenticated. */
export type ExchangeSwitch = (body: ExchangeBody) => Promise<boolean>

export function createExchangeSwitch({
  exchangeProfiles,
  resourceServers,
  connections,
}: Pick<Storage, 'exchangeProfiles' | 'resourceServers' | 'connections'>): ExchangeSwitch {
  return async (body) => {
    if (body.grant_type !== TOKEN_EXCHANGE_GRANT) return false
    const form = readForm(body)
    const type = form.get('subject_token_type')
    if (type === undefined || type === REFRESH_TOKEN_TYPE) return false
    if (type !== ACCESS_TOKEN_TYPE) return (await exchangeProfiles.findByType(type)) !== undefined
    const audience = form.get('audience')
    if (audience === undefined || (await resourceServers.findByIdentifier(audience)) === undefined) return false
    // An API that is called like a connection is reached by no exchange: the connection was there first.
    return (await connections.findByName(audience)) === undefined
  }
}
