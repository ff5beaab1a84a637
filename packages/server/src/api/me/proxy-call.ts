// One call to a provider's API with the user's token, and once more with a fresh one when the provider does not take it.
import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { StoredAccount } from '../../domain/tokenset.ts'
import { type Fresh, requireFresh } from '../../oauth/account-use.ts'
import { UpstreamRefused } from '../../upstream/errors.ts'
import type { StreamAnswer } from '../../upstream/safe-stream.ts'
import type { ProxyDeps } from './proxy.ts'
import type { ProxyBody } from './proxy-body.ts'
import { sentHeaders } from './proxy-headers.ts'
import type { ProxyUse } from './proxy-use.ts'

export interface Outgoing {
  readonly method: Dispatcher.HttpMethod
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: ProxyBody
  readonly signal: AbortSignal
  /** Throws when the call may not be made any more. */
  readonly stillMay: () => Promise<unknown>
  /** Resolves once it is on the disk that the call goes out. */
  readonly begins: () => Promise<void>
}

export interface Caller {
  /** @throws {ExchangeRefusal} there is no token. @throws {UpstreamUnavailable} @throws {UpstreamRefused} no answer. */
  call(use: ProxyUse, outgoing: Outgoing): Promise<StreamAnswer>
}

export function createCaller({ vault, stream, clock }: ProxyDeps): Caller {
  const renewals = new Renewals()
  const send = async (
    { connector }: ProxyUse,
    token: Fresh,
    { method, url, headers, body, signal }: Outgoing,
  ): Promise<StreamAnswer> => {
    const { name, prefix } = connector.traits.apiHeader
    const length = body.kind === 'stream' && body.length !== undefined ? { 'content-length': String(body.length) } : {}
    const answer = await stream.open(url, {
      method,
      headers: {
        'user-agent': 'tenon',
        ...sentHeaders(headers),
        ...length,
        // After the caller's own, which may have the same name.
        [name]: prefix + token.accessToken,
      },
      body: body.kind === 'whole' ? body.bytes : body.kind === 'stream' ? body.stream : undefined,
      signal,
    })
    if (answer.status >= 200 && answer.status <= 599) return answer
    answer.discard()
    throw new UpstreamRefused('answer_malformed', { detail: 'status' })
  }
  const tokenFor = async ({ account, connection, connector }: ProxyUse, minTtlSeconds?: number): Promise<Fresh> => {
    const token = await vault.freshToken(account, minTtlSeconds)
    return requireFresh(
      token,
      { connection: connection.name, loginHint: undefined, scopes: [] },
      connection,
      account,
      connector,
    )
  }
  return {
    async call(use, outgoing) {
      const token = await tokenFor(use)
      await outgoing.stillMay()
      await outgoing.begins()
      const answer = await send(use, token, outgoing)
      const { expiresAt } = token
      if (answer.status !== 401 || outgoing.body.kind === 'stream' || expiresAt === undefined) return answer
      if (!renewals.claim(use.account, clock())) return answer
      // More life than it has: a token that somebody renewed meanwhile has that, and is taken.
      const renewed = await vault.freshToken(use.account.id, Math.max(1, expiresAt - clock() + 1))
      if (renewed.kind !== 'fresh' || renewed.accessToken === token.accessToken) return answer
      await outgoing.stillMay()
      answer.discard()
      return send(use, renewed, outgoing)
    },
  }
}

const RENEWAL_SECONDS = 60
const MAX_KEPT = 10_000

/** An API that says 401 to everything must not make the provider renew the token each time. */
class Renewals {
  readonly #at = new Map<string, number>()

  claim({ id }: StoredAccount, now: number): boolean {
    if (now - (this.#at.get(id) ?? 0) < RENEWAL_SECONDS) return false
    if (this.#at.size >= MAX_KEPT) this.#at.clear()
    this.#at.set(id, now)
    return true
  }
}
