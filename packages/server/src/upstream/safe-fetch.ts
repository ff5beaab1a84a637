// The only way out of the process for calls to providers: where it may go is `safe-agent.ts`'s, what may come back is
// decided here (threats T-NET-01, T-NET-02).
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { type Dispatcher, errors, request as send } from 'undici'
import { createAddressPolicy, literalHost, parseOutgoingUrl, portOf } from './address-policy.ts'
import { UpstreamRefused, UpstreamUnavailable } from './errors.ts'
import { createSafeAgent, type Resolve } from './safe-agent.ts'

const DEFAULT_TIMEOUT_SECONDS = 10
const MAX_BODY_BYTES = 1024 * 1024
const MAX_RETRY_AFTER_SECONDS = 86_400

export interface SafeRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** For the whole call, from the name's resolution to the last byte. */
  readonly timeoutSeconds?: number
}

export interface SafeAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export interface SafeFetch {
  /**
   * Calls a provider once: no redirect is followed, at most 1 MiB is read after decompression.
   *
   * @throws {UpstreamRefused} `address_blocked`; `answer_malformed`.
   * @throws {UpstreamUnavailable} no connection, no answer in time. Every status is an answer.
   */
  (url: string | URL, request?: SafeRequest): Promise<SafeAnswer>
  /** Ends the sockets that are kept open between calls. */
  close(): Promise<void>
}

export interface SafeFetchOptions {
  /** CIDRs that may be reached although private, by plain http too. */
  readonly allowedPrivateNetworks: readonly string[]
  readonly timeoutSeconds?: number
  /** The name server; the system's by default. */
  readonly resolve?: Resolve
}

/** @throws {TypeError} a network is not in CIDR notation. */
export function createSafeFetch(options: SafeFetchOptions): SafeFetch {
  const policy = createAddressPolicy(options.allowedPrivateNetworks)
  const agent = createSafeAgent(policy, options.resolve)
  const call = async (target: string | URL, request: SafeRequest = {}): Promise<SafeAnswer> => {
    const url = parseOutgoingUrl(String(target))
    if (url === undefined) throw new UpstreamRefused('address_blocked', { detail: 'url' })
    const host = literalHost(url)
    if (host !== undefined && !policy.allows(host, url.protocol, portOf(url))) {
      throw new UpstreamRefused('address_blocked')
    }
    const timeoutSeconds = request.timeoutSeconds ?? options.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS
    const signal = AbortSignal.timeout(timeoutSeconds * 1000)
    try {
      return await read(await open(agent, url, request, signal))
    } catch (cause) {
      throw explain(cause, signal)
    }
  }
  return Object.assign(call, { close: () => agent.destroy() })
}

/**
 * The same as a standard `fetch`, for libraries. A provider that is down or throttles is an error here, not an answer.
 *
 * @throws {UpstreamRefused}
 * @throws {UpstreamUnavailable}
 */
export function standardFetch(fetch: SafeFetch): (url: string, init?: RequestInit) => Promise<Response> {
  return async (url, init = {}) => {
    const method = init.method ?? 'GET'
    if (method !== 'GET' && method !== 'POST' && method !== 'DELETE') throw new TypeError(`no method ${method} here`)
    const answer = await fetch(url, {
      method,
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(init.body === undefined || init.body === null ? {} : { body: String(init.body) }),
    })
    requireAvailable(answer)
    const hasBody = answer.status !== 204 && answer.status !== 205 && answer.status !== 304
    return new Response(hasBody ? answer.text : null, { status: answer.status, headers: answer.headers })
  }
}

/** @throws {UpstreamUnavailable} the status says that the provider is down (5xx) or throttles us (429). */
export function requireAvailable({ status, headers }: SafeAnswer): void {
  if (status !== 429 && status < 500) return
  const retryAfterSeconds = retryAfter(headers.get('retry-after'))
  throw new UpstreamUnavailable(status === 429 ? 'throttled' : 'status', { retryAfterSeconds, detail: String(status) })
}

function open(dispatcher: Dispatcher, url: URL, request: SafeRequest, signal: AbortSignal) {
  return send(url, {
    dispatcher,
    signal,
    method: request.method ?? 'GET',
    headers: { 'user-agent': 'tenon', 'accept-encoding': 'gzip, deflate, br', ...request.headers },
    ...(request.body === undefined ? {} : { body: request.body }),
  })
}

async function read({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<SafeAnswer> {
  const status = requireFinalStatus(statusCode)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    // Leaving the loop destroys the body, and its socket with it.
    if (size > MAX_BODY_BYTES) throw malformed('too_large')
    chunks.push(chunk)
  }
  const bytes = await decompress(Buffer.concat(chunks), headers['content-encoding'])
  return { status, headers: toHeaders(headers), text: decode(bytes) }
}

function requireFinalStatus(status: number): number {
  if (status < 200 || status > 599) throw malformed('status')
  return status
}

const unpackers = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
} as const

async function decompress(bytes: Buffer, encoding: string | string[] | undefined): Promise<Uint8Array> {
  const name = String(encoding ?? 'identity')
    .trim()
    .toLowerCase()
  if (name === 'identity' || name === '' || bytes.length === 0) return bytes
  if (!isUnpacker(name)) throw malformed('content_encoding')
  try {
    return await unpackers[name](bytes, { maxOutputLength: MAX_BODY_BYTES })
  } catch (cause) {
    throw malformed('content_encoding', cause)
  }
}

function isUnpacker(name: string): name is keyof typeof unpackers {
  return Object.hasOwn(unpackers, name)
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw malformed('utf8', cause)
  }
}

function toHeaders(headers: Dispatcher.ResponseData['headers']): Headers {
  const result = new Headers()
  // What was packed has been unpacked, and its length has changed.
  const stale = new Set(['content-encoding', 'content-length', 'transfer-encoding'])
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || stale.has(name)) continue
    for (const one of Array.isArray(value) ? value : [value]) result.append(name, one)
  }
  return result
}

/** What an error of undici, node or zlib means to us. */
export function explain(cause: unknown, signal: AbortSignal): Error {
  if (cause instanceof UpstreamRefused) return cause
  if (signal.aborted) return new UpstreamUnavailable('timeout', { detail: 'total' })
  if (cause instanceof errors.HeadersTimeoutError) return new UpstreamUnavailable('timeout', { detail: 'headers' })
  if (cause instanceof errors.ConnectTimeoutError) return new UpstreamUnavailable('timeout', { detail: 'connect' })
  if (cause instanceof errors.HeadersOverflowError) return malformed('headers')
  if (cause instanceof errors.HTTPParserError) return malformed('http')
  return new UpstreamUnavailable('network', { detail: codeOf(cause), cause })
}

function codeOf(cause: unknown): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : undefined
}

function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - Date.now()) / 1000)
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS) : undefined
}

function malformed(detail: string, cause?: unknown): UpstreamRefused {
  return new UpstreamRefused('answer_malformed', { detail, cause })
}
