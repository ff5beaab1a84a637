// Requests as they come in: their bodies, who sent them, and their id.
import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Overloaded } from '../domain/errors.ts'
import { isJsonObject } from '../lib/json.ts'
import { isInNetworks } from '../lib/networks.ts'
import { parseStrictJson } from '../lib/strict-json.ts'

export const MAX_BODY_BYTES = 1_048_576

/** A request that is refused before any handler sees it. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest'
  readonly status: 400 | 413

  constructor(status: 400 | 413, message: string) {
    super(message)
    this.status = status
  }
}

export type FlatBody = Readonly<Record<string, string | readonly string[]>>

/** Names the request, in the answer's header and in every log line about it. */
export function nameRequest(response: ServerResponse): string {
  const id = `req_${randomUUID()}`
  response.setHeader('x-request-id', id)
  return id
}

export const retryAfter = ({ retryAfterSeconds }: Overloaded) => ({ 'retry-after': String(retryAfterSeconds) })

/**
 * The whole body. Listens by hand: an iterator costs as much as the rest of a small request, and would cut the connection
 * before a body that is too large has its answer.
 *
 * @throws {BadRequest} 413 past 1 MiB; what still comes is let through unread.
 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk)
      else {
        chunks.length = 0
        reject(new BadRequest(413, 'the body is larger than 1 MiB'))
      }
    })
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    request.on('error', reject)
    request.on('close', () => {
      if (!request.readableEnded) reject(new BadRequest(400, 'the request ended early'))
    })
  })
}

/**
 * A form or a flat JSON object as text parameters; repeated form fields stay lists. The word `undefined`, which older
 * SDKs send for what they leave out, counts as absent (auth0-wire.md §0 rule 11).
 *
 * @throws {BadRequest} 400.
 */
export function parseFlatBody(contentType: string | undefined, body: Buffer): FlatBody {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (type === 'application/json') return parseJsonBody(body)
  if (type === 'application/x-www-form-urlencoded' || (type === '' && body.length === 0)) return parseForm(body)
  throw new BadRequest(400, 'the body is neither a form nor JSON')
}

/** What older SDKs write for a parameter that they leave out. */
const ABSENT = 'undefined'

function parseForm(body: Buffer): FlatBody {
  const fields: Record<string, string | readonly string[]> = Object.create(null)
  for (const [name, value] of new URLSearchParams(utf8(body))) {
    if (value === ABSENT) continue
    const known = fields[name]
    fields[name] = known === undefined ? value : [...(typeof known === 'string' ? [known] : known), value]
  }
  return fields
}

function parseJsonBody(body: Buffer): FlatBody {
  const value = strictJson(utf8(body))
  if (!isJsonObject(value)) throw new BadRequest(400, 'the body is not a JSON object')
  const fields: Record<string, string> = Object.create(null)
  for (const [name, member] of Object.entries(value)) {
    if (member === null) continue
    if (typeof member === 'object') throw new BadRequest(400, `the member ${name.slice(0, 64)} is not flat`)
    if (member !== ABSENT) fields[name] = String(member)
  }
  return fields
}

function strictJson(text: string): unknown {
  try {
    return parseStrictJson(text)
  } catch {
    throw new BadRequest(400, 'the body is not JSON')
  }
}

function utf8(body: Buffer): string {
  if (!isUtf8(body)) throw new BadRequest(400, 'the body is not UTF-8')
  return body.toString('utf8')
}

/** The address that a request came from; what a proxy says counts only from proxies that the operator named (T-API-08). */
export function clientAddress(request: IncomingMessage, trustedProxies: readonly string[]): string | undefined {
  const peer = request.socket.remoteAddress
  if (peer === undefined || trustedProxies.length === 0 || !isInNetworks(peer, trustedProxies)) return peer
  const said = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
  // From the right: the first that no trusted proxy wrote down is the client.
  return said.toReversed().find((address) => !isInNetworks(address, trustedProxies)) ?? peer
}

/** A form, or JSON; undefined when it is neither. */
export function fieldsOf(contentType: string | undefined, text: string): unknown {
  if (contentType?.startsWith('application/x-www-form-urlencoded')) return Object.fromEntries(new URLSearchParams(text))
  try {
    return parseStrictJson(text)
  } catch {
    return undefined
  }
}
