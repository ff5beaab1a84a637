/** Answers that hurt a careless reader, for `provider.fail(endpoint, { respond: flood() })`. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import type { Responder } from './knobs.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const CHUNK = Buffer.alloc(64 * 1024, ' ')

/** A body of `bytes` blanks inside a JSON string; default 1 GiB. */
export function flood(bytes = 2 ** 30): Responder {
  return async (_request, response) => {
    response.writeHead(200, JSON_TYPE)
    response.write('{"access_token":"')
    await pour(response, bytes)
    response.end('"}')
  }
}

/** The same, gzipped about a thousand times smaller. */
export function gzipBomb(bytes = 2 ** 30): Responder {
  return async (_request, response) => {
    response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' })
    const gzip = createGzip()
    gzip.pipe(response)
    response.once('close', () => gzip.destroy())
    for (let sent = 0; sent < bytes && !gzip.destroyed; sent += CHUNK.length) {
      if (!gzip.write(CHUNK)) await settled(gzip, 'drain')
    }
    gzip.end()
  }
}

/** Answers at once and then sends one byte every `everyMs` for as long as the caller stays. */
export function trickle(everyMs = 1000): Responder {
  return async (_request, response) => {
    response.writeHead(200, JSON_TYPE)
    while (!response.destroyed) {
      response.write(' ')
      await sleep(everyMs, undefined, { ref: false })
    }
  }
}

/** Header lines without an end. */
export function endlessHeaders(): Responder {
  return async (request) => {
    const { socket } = request
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n')
    const line = `x-more: ${'m'.repeat(1000)}\r\n`
    while (!socket.destroyed) if (!socket.write(line)) await settled(socket, 'drain')
  }
}

/** A chunked body that breaks off in the middle. */
export function unterminatedChunks(): Responder {
  return ({ socket }) => {
    socket.end(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n40\r\n{"access_token":',
    )
  }
}

/** JSON whose string holds bytes that are no UTF-8. */
export function invalidUtf8(): Responder {
  return (_request, response) => {
    const bytes = Buffer.concat([Buffer.from('{"access_token":"'), Buffer.from([0xff, 0xc0, 0xaf]), Buffer.from('"}')])
    response.writeHead(200, JSON_TYPE).end(bytes)
  }
}

/** Redirects to itself, with another query each time; `status` 307 makes a careless client post its credentials again. */
export function redirectLoop(status: 302 | 307 = 302): Responder {
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://loop.invalid')
    url.searchParams.set('loop', String(Number(url.searchParams.get('loop') ?? 0) + 1))
    response.writeHead(status, { location: url.pathname + url.search }).end()
  }
}

/** Sends the caller somewhere else. */
export function redirectTo(location: string, status: 302 | 307 = 302): Responder {
  return (_request, response) => {
    response.writeHead(status, { location }).end()
  }
}

/** Resets the connection without a byte. */
export function connectionReset(): Responder {
  return ({ socket }) => {
    socket.resetAndDestroy()
  }
}

async function pour(response: ServerResponse, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes && !response.destroyed; sent += CHUNK.length) {
    if (!response.write(CHUNK)) await settled(response, 'drain')
  }
}

/** Waits for the event, or for the stream to be gone. */
async function settled(stream: Writable, event: string): Promise<void> {
  if (stream.destroyed) return
  const ended = new AbortController()
  const signal = ended.signal
  // A stream that breaks is as good as one that drained: the loops look whether it still stands.
  const quietly = (name: string) => once(stream, name, { signal }).catch(() => undefined)
  await Promise.race([quietly(event), quietly('close')])
  ended.abort()
}
