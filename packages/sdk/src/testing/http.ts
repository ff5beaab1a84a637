/** The little HTTP that the providers speak: reading requests, describing answers, listening on loopback. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Fields = Readonly<Record<string, string>>
export type Json = Record<string, unknown>

/** What a handler wants to be sent; it is written only after the knobs had their say. */
export interface Answer {
  readonly status: number
  readonly headers: Fields
  readonly body: string | Uint8Array
}

const MAX_BODY_BYTES = 1024 * 1024

export function jsonAnswer(status: number, value: unknown, headers: Fields = {}): Answer {
  return textAnswer(status, JSON.stringify(value), { 'content-type': 'application/json; charset=utf-8', ...headers })
}

export function textAnswer(status: number, body: string, headers: Fields = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers },
    body,
  }
}

export function formAnswer(status: number, fields: Json): Answer {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, String(value))
  return textAnswer(status, form.toString(), { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' })
}

/** `status` is 303 after a POST, so that the browser goes on with a GET, and 302 otherwise. */
export function redirectAnswer(status: 302 | 303, location: string): Answer {
  return textAnswer(status, '', { location, 'referrer-policy': 'no-referrer' })
}

/** The body as text, or `undefined` when it is over 1 MiB. */
export async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size <= MAX_BODY_BYTES) chunks.push(chunk)
  }
  return size > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks).toString('utf8')
}

/** The members of a form or of a flat JSON object; a malformed body has none. */
export function parseFields(contentType: string | undefined, raw: string): Fields {
  if (!/json/i.test(contentType ?? '')) return Object.fromEntries(new URLSearchParams(raw))
  try {
    const value: unknown = JSON.parse(raw)
    if (typeof value !== 'object' || value === null) return {}
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)]))
  } catch {
    return {}
  }
}

export function writeAnswer(response: ServerResponse, answer: Answer): void {
  if (response.destroyed) return
  response.writeHead(answer.status, answer.headers)
  response.end(answer.body)
}

/** Listens on 127.0.0.1 and nothing else; port 0 takes a free one. */
export async function listen(port: number): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer()
  await new Promise<void>((done, failed) => {
    server.once('error', failed)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', failed)
      done()
    })
  })
  // Cast: a TCP server that listens has an AddressInfo; strings are for pipes.
  const { port: taken } = server.address() as AddressInfo
  return { server, url: `http://127.0.0.1:${taken}` }
}

/** Stops listening and cuts what is still open. Closing twice is fine. */
export function close(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve()
  return new Promise((done) => {
    server.close(() => done())
    server.closeAllConnections()
  })
}
