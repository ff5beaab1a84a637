// One HTTP request as it is told to be sent: no redirects, no cookies, any header.
import { request as sendPlain } from 'node:http'
import { request as sendByTls } from 'node:https'

export interface Answer {
  readonly status: number
  /** Names in lower case; what came more than once is joined by commas. */
  readonly headers: Readonly<Record<string, string>>
  readonly setCookies: readonly string[]
  readonly text: string
  /** Undefined when the body is not JSON. Tests read what they expect; another shape fails their assertions. */
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly json: any
}

export type Fields = URLSearchParams | Readonly<Record<string, FieldValue>>
export type FieldValue = string | number | boolean | undefined | readonly string[]
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

export interface RequestOptions {
  readonly method?: string
  readonly headers?: Headers
  /** At most one of the three. */
  readonly form?: Fields
  readonly json?: unknown
  readonly body?: string | Uint8Array
  /** The request target as it is written, when it is no path of the URL. */
  readonly target?: string
}

const TIMEOUT_MS = 60_000

/** Sends one request over a connection of its own and reads the whole answer. Never throws on a status. */
export function request(url: string, options: RequestOptions = {}): Promise<Answer> {
  const { protocol, hostname, port, pathname, search } = new URL(url)
  const send = protocol === 'https:' ? sendByTls : sendPlain
  const { type, bytes } = bodyOf(options)
  const given = Object.entries(options.headers ?? {}).filter((entry) => entry[1] !== undefined)
  const headers = { ...(type === undefined ? {} : { 'content-type': type }), ...lowerCased(given) }
  return new Promise((resolve, reject) => {
    const call = send(
      {
        hostname,
        port,
        path: options.target ?? `${pathname}${search}`,
        method: options.method ?? (bytes === undefined ? 'GET' : 'POST'),
        headers: bytes === undefined ? headers : { 'content-length': bytes.length, ...headers },
        agent: false,
        timeout: TIMEOUT_MS,
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          const setCookies = response.headers['set-cookie'] ?? []
          const joined = Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(', ')])
          resolve({
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(joined),
            setCookies,
            text,
            json: parsed(text),
          })
        })
      },
    )
    call.on('timeout', () => call.destroy(new Error(`no answer from ${url} within ${TIMEOUT_MS} ms`)))
    call.on('error', reject)
    call.end(bytes)
  })
}

function bodyOf({ form, json, body }: RequestOptions): { type: string | undefined; bytes: Buffer | undefined } {
  if (form !== undefined)
    return { type: 'application/x-www-form-urlencoded', bytes: Buffer.from(encodeForm(form).toString()) }
  if (json !== undefined) return { type: 'application/json', bytes: Buffer.from(JSON.stringify(json)) }
  return { type: undefined, bytes: body === undefined ? undefined : Buffer.from(body) }
}

const lowerCased = (entries: readonly (readonly [string, unknown])[]) =>
  Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value as string | string[]]))

/** Lists repeat the name; undefined is left out. */
export function encodeForm(fields: Fields): URLSearchParams {
  if (fields instanceof URLSearchParams) return fields
  const out = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) {
    for (const one of [value].flat()) if (one !== undefined) out.append(name, String(one))
  }
  return out
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Longer than a loaded machine takes for anything; only a failing test waits as long. */
const PATIENCE_MS = 60_000

/** Calls `probe` until it answers with something; throws after `timeoutMs`. */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== false) return value
    if (Date.now() > end) throw new Error(`${what}: did not come within ${timeoutMs} ms`)
    await sleep(25)
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
