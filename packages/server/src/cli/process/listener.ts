// A listening socket whose application may come later and whose end waits for the requests in flight.
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { ConfigError } from '../../protocol/config-error.ts'

export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly certificate: Certificate | undefined
}

export interface Listener {
  readonly port: number
  /** Gives requests to the application; until then they are answered 503. */
  use(handler: RequestListener): void
  /** Accepts nothing more, waits for the requests in flight, and cuts those that take longer than `limitMs`. */
  stop(limitMs: number): Promise<void>
}

const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
/** Longer than the minute that load balancers keep a connection, so that the closing end is theirs. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000
const IDLE_CHECK_MS = 25

/** @throws {ConfigError} the address is not one of this machine. */
export async function listen({ host, port, certificate }: ListenOptions): Promise<Listener> {
  let handler: RequestListener = answerNotReady
  let stopping = false
  const onRequest: RequestListener = (request, response) => {
    if (stopping) response.setHeader('connection', 'close')
    return handler(request, response)
  }
  const timeouts = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  }
  const server = certificate
    ? createTlsServer({ ...timeouts, ...certificate, minVersion: 'TLSv1.2' }, onRequest)
    : createServer(timeouts, onRequest)
  const boundPort = await bind(server, host, port)
  return {
    port: boundPort,
    use: (next) => {
      handler = next
    },
    stop: (limitMs) => {
      stopping = true
      return drain(server, limitMs)
    },
  }
}

const answerNotReady: RequestListener = (_request, response) => {
  response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' })
  response.end('{"error":"temporarily_unavailable","error_description":"The server is starting."}')
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(explainBind(error, host, port)))
    server.listen({ host, port }, () => {
      server.removeAllListeners('error')
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

function explainBind(error: Error, host: string, port: number): Error {
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'EADDRINUSE') return new Error(`port ${port} of ${host} is in use by another process`, { cause: error })
  if (code === 'EACCES') return new Error(`this user may not bind port ${port} of ${host}`, { cause: error })
  if (['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN'].includes(code)) {
    return new ConfigError({
      code: 'invalid_value',
      pointer: '--host',
      found: host,
      expected: 'an address of this machine',
    })
  }
  return error
}

function drain(server: Server, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    // A connection turns idle when its answer is out, and would then be kept alive.
    const sweep = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS)
    const limit = setTimeout(() => server.closeAllConnections(), limitMs)
    server.close(() => {
      clearInterval(sweep)
      clearTimeout(limit)
      resolve()
    })
  })
}
