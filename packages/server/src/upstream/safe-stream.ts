// The way out for calls that are handed through: the same addresses as `safe-fetch.ts`, by sockets of its own, so that a
// provider's slow API takes none from the refreshes. What comes back is a stream, as it came.
import { Readable } from 'node:stream'
import { type Dispatcher, request as send } from 'undici'
import { createAddressPolicy, literalHost, portOf } from './address-policy.ts'
import { UpstreamRefused } from './errors.ts'
import { createSafeAgent, type Resolve } from './safe-agent.ts'
import { explain } from './safe-fetch.ts'

export interface StreamRequest {
  readonly method: Dispatcher.HttpMethod
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: Buffer | Readable | undefined
  /** Ends the call, and what of its answer is still to come. */
  readonly signal: AbortSignal
}

export interface StreamAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Packed as it came; whoever has it reads it to its end, or discards it. */
  readonly body: Readable
  discard(): void
}

export interface SafeStream {
  /**
   * Calls once: no redirect is followed.
   *
   * @throws {UpstreamRefused} `address_blocked`; `answer_malformed`.
   * @throws {UpstreamUnavailable} no connection, no answer in time.
   * @throws what reading the body threw.
   */
  open(url: URL, request: StreamRequest): Promise<StreamAnswer>
  /** Ends every call and the sockets that are kept open. */
  close(): Promise<void>
}

export interface SafeStreamOptions {
  /** As of `createSafeFetch`. */
  readonly allowedPrivateNetworks: readonly string[]
  /** Until the head of the answer, and between two parts of its body. */
  readonly silenceSeconds: number
  readonly resolve?: Resolve
}

export function createSafeStream({ allowedPrivateNetworks, silenceSeconds, resolve }: SafeStreamOptions): SafeStream {
  const policy = createAddressPolicy(allowedPrivateNetworks)
  const agent = createSafeAgent(policy, resolve)
  const silenceMs = silenceSeconds * 1000
  return {
    async open(url, { method, headers, body, signal }) {
      const host = literalHost(url)
      if (host !== undefined && !policy.allows(host, url.protocol, portOf(url)))
        throw new UpstreamRefused('address_blocked')
      const failed = failureOf(body)
      try {
        const answer = await send(url, {
          dispatcher: agent,
          method,
          // Lists are not changed by the library, whose type says that they might be.
          headers: headers as Record<string, string | string[]>,
          ...(body === undefined ? {} : { body }),
          signal,
          headersTimeout: silenceMs,
          bodyTimeout: silenceMs,
        })
        const { statusCode: status, headers: given, body: stream } = answer
        // Whoever reads it hears of it as well; nobody may be reading yet.
        stream.on('error', () => {})
        return { status, headers: given, body: stream, discard: () => void stream.dump().catch(() => {}) }
      } catch (cause) {
        throw failed() ?? explain(cause, signal)
      }
    },
    close: () => agent.destroy(),
  }
}

/** What broke the body that was being sent: nothing of the provider's. */
function failureOf(body: StreamRequest['body']): () => Error | undefined {
  let failure: Error | undefined
  if (body instanceof Readable)
    body.once('error', (error) => {
      failure = error
    })
  return () => failure
}
