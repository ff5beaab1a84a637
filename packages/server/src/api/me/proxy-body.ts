// The body of a call through the proxy: whole where it may have to be sent twice or shown, else as it comes.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Transform } from 'node:stream'
import type { AskedBody } from '../../domain/asked-use.ts'
import { ApiRefusal } from '../refusal.ts'

/** As every body here. */
const MAX_BYTES = 1_048_576
/** What is kept to be sent again. */
const REPLAYABLE_BYTES = 65_536

export type ProxyBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  /** Gone once it was sent. */
  | { readonly kind: 'stream'; readonly stream: Transform; readonly length: number | undefined }

/**
 * @param wanted the whole of it, however long, for a person may have to see it.
 * @throws {ApiRefusal} 413; 400: it ended early.
 */
export async function bodyOf(request: IncomingMessage, { whole: wanted }: { whole: boolean }): Promise<ProxyBody> {
  const { 'content-length': text, 'transfer-encoding': encoding } = request.headers
  const length = text === undefined ? undefined : Number(text)
  if (encoding === undefined && (length === undefined || length === 0)) return { kind: 'none' }
  if (length !== undefined && length > MAX_BYTES) throw tooLarge()
  if (wanted || (length !== undefined && length <= REPLAYABLE_BYTES))
    return { kind: 'whole', bytes: await readWhole(request) }
  return { kind: 'stream', stream: counted(request), length }
}

const tooLarge = (): ApiRefusal => new ApiRefusal(413, 'payload_too_large', 'The body is larger than 1 MiB.')
const endedEarly = (): ApiRefusal => new ApiRefusal(400, 'invalid_request', 'The request ended early.')

async function readWhole(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  const body = counted(request)
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Not by `pipeline`, which would cut the connection before a body that is too large has its answer. */
function counted(request: IncomingMessage): Transform {
  let bytes = 0
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > MAX_BYTES) done(tooLarge())
      else done(null, chunk)
    },
  })
  request.once('close', () => {
    if (!request.readableEnded) counter.destroy(endedEarly())
  })
  // What still comes is let through unread.
  counter.once('error', () => request.unpipe(counter).resume())
  return request.pipe(counter)
}

/** As much as a person reads; what is longer is hashed all the same. */
const SHOWN_BYTES = 4000

/** For the person's eyes, and for the yes to hold for nothing else. */
export function askedBody(body: ProxyBody, type: string | undefined): AskedBody | undefined {
  if (body.kind !== 'whole') return undefined
  const { bytes } = body
  const start = bytes.subarray(0, SHOWN_BYTES).toString('utf8')
  const isText = !start.slice(0, -4).includes('\ufffd') && !/(?!\s)\p{Cc}/u.test(start)
  const hash = createHash('sha256').update(bytes).digest('hex')
  return { bytes: bytes.length, type: type ?? '', hash, text: isText ? start : undefined }
}
