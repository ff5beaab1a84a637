// Reads a request's body: bounded in size and depth, JSON or form, without names or characters that would do harm later.
import { harmIn } from '../lib/harmless-json.ts'
import type { JsonObject, JsonValue } from '../lib/json.ts'
import { parseStrictJson } from '../lib/strict-json.ts'
import { ApiRefusal, invalidBody } from './refusal.ts'

export const MAX_BODY_BYTES = 1_048_576

export type MediaType = 'json' | 'form' | 'multipart'

/**
 * The body as JSON; `undefined` when there is none.
 *
 * @throws {ApiRefusal} 413, 415, 400 `invalid_body`.
 */
export async function readBody(request: Request, accepted: readonly MediaType[]): Promise<JsonValue | undefined> {
  const text = await readText(request)
  if (text === '') return undefined
  const type = mediaTypeOf(request.headers.get('content-type'))
  if (type === undefined || !accepted.includes(type))
    throw new ApiRefusal(415, 'unsupported_media_type', 'The body must be application/json.')
  const value = type === 'json' ? parseJson(text) : formFields(await entriesOf(request, type, text))
  requireHarmless(value)
  return value
}

async function readText(request: Request): Promise<string> {
  const tooLarge = () => new ApiRefusal(413, 'payload_too_large', 'The body is larger than 1 MiB.')
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge()
  if (request.body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body) {
    bytes += chunk.byteLength
    if (bytes > MAX_BODY_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch (cause) {
    throw new ApiRefusal(400, 'invalid_body', 'The body is not UTF-8.', { cause })
  }
}

function mediaTypeOf(header: string | null): MediaType | undefined {
  const type = header?.split(';')[0]?.trim().toLowerCase()
  if (type === 'application/json') return 'json'
  if (type === 'multipart/form-data') return 'multipart'
  return type === 'application/x-www-form-urlencoded' ? 'form' : undefined
}

function parseJson(text: string): JsonValue {
  try {
    return parseStrictJson(text)
  } catch (cause) {
    throw new ApiRefusal(400, 'invalid_body', 'The body is not valid JSON.', { cause })
  }
}

/** Names and values of a form; of a file its text (RFC 7578). */
async function entriesOf(
  request: Request,
  type: MediaType,
  text: string,
): Promise<readonly (readonly [string, string])[]> {
  if (type === 'form') return [...new URLSearchParams(text)]
  // `mediaTypeOf` read the same header.
  const headers = { 'content-type': request.headers.get('content-type') ?? '' }
  const parts = await new Response(text, { headers }).formData().catch((cause: unknown) => {
    throw new ApiRefusal(400, 'invalid_body', 'The body is not valid multipart/form-data.', { cause })
  })
  return Promise.all(
    [...parts].map(async ([name, value]) => [name, typeof value === 'string' ? value : await value.text()] as const),
  )
}

function formFields(entries: readonly (readonly [string, string])[]): JsonObject {
  const fields = new Map<string, string>()
  for (const [name, value] of entries) {
    if (fields.has(name)) throw invalidBody('A field is given twice.')
    fields.set(name, value)
  }
  return Object.fromEntries(fields)
}

function requireHarmless(value: JsonValue): void {
  const harm = harmIn(value)
  if (harm !== undefined) throw invalidBody(harm)
}
