// The load: some connections that each send the next request as soon as the last is answered. Bare sockets, for a full
// HTTP client would be busier than the server it measures.
import { connect, type Socket } from 'node:net'

export interface Round {
  readonly url: string
  readonly path: string
  /** Bodies of form posts, sent in turn. */
  readonly bodies: readonly string[]
  /** Paths in the place of `path`, and a further line of the head, each in turn. */
  readonly paths?: readonly string[]
  readonly headers?: readonly string[]
  readonly connections: number
  /** The round ends after so long, or when `once` and every body was sent. */
  readonly seconds: number
  readonly once?: boolean
}

export interface RoundResult {
  readonly answers: number
  readonly failures: number
  /** Head and body of the first answer that was not 200. */
  readonly failure: string | undefined
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

if (process.send !== undefined) {
  process.on('message', (round: Round) => {
    run(round).then(
      (result) => process.send?.(result),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
  process.send('ready')
}

interface Course {
  readonly round: Round
  readonly requests: readonly Buffer[]
  readonly endsAtMs: number
  readonly latenciesMs: number[]
  sent: number
  failures: number
  failure: string | undefined
}

async function run(round: Round): Promise<RoundResult> {
  const { hostname, port, host } = new URL(round.url)
  const requests = requestsOf(round, host)
  const sockets = await Promise.all(Array.from({ length: round.connections }, () => open(hostname, Number(port))))
  const startedAtMs = performance.now()
  const course: Course = {
    round,
    requests,
    endsAtMs: startedAtMs + round.seconds * 1000,
    latenciesMs: [],
    sent: 0,
    failures: 0,
    failure: undefined,
  }
  await Promise.all(sockets.map((socket) => drive(socket, course)))
  const tookSeconds = (performance.now() - startedAtMs) / 1000
  const latencies = course.latenciesMs.sort((a, b) => a - b)
  return {
    answers: latencies.length,
    failures: course.failures,
    failure: course.failure,
    perSecond: latencies.length / tookSeconds,
    p50Ms: latencies[Math.floor(latencies.length * 0.5)] ?? 0,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
  }
}

function requestsOf({ bodies, path, paths = [path], headers = [] }: Round, host: string): readonly Buffer[] {
  const count = Math.max(bodies.length, paths.length, headers.length)
  const inTurn = (list: readonly string[], at: number) => list[at % list.length]
  return Array.from({ length: count }, (_, at) =>
    requestOf(host, inTurn(paths, at) ?? path, inTurn(bodies, at) ?? '', inTurn(headers, at)),
  )
}

function requestOf(host: string, path: string, body: string, header: string | undefined): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: ${host}`,
    'content-type: application/x-www-form-urlencoded',
    `content-length: ${Buffer.byteLength(body)}`,
    ...(header === undefined ? [] : [header]),
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function open(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

/** One connection: a request, its whole answer, the next request, until the round is over. */
function drive(socket: Socket, course: Course): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentAtMs = 0
    let received: Buffer | undefined
    const next = () => {
      const { round, requests } = course
      const over = performance.now() >= course.endsAtMs || (round.once === true && course.sent >= requests.length)
      const request = requests[course.sent % requests.length]
      if (over || request === undefined) {
        socket.destroy()
        return resolve()
      }
      course.sent++
      sentAtMs = performance.now()
      socket.write(request)
    }
    socket.on('error', reject)
    socket.on('close', () => resolve())
    socket.on('data', (chunk: Buffer) => {
      received = received === undefined ? chunk : Buffer.concat([received, chunk])
      const end = endOfAnswer(received)
      if (end === undefined || received.length < end) return
      course.latenciesMs.push(performance.now() - sentAtMs)
      if (received.toString('latin1', 9, 12) !== '200') {
        course.failures++
        course.failure ??= received.toString('utf8')
      }
      received = undefined
      next()
    })
    next()
  })
}

/** Where an answer with a content length ends; undefined while its head is not complete. */
function endOfAnswer(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const length = /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, headEnd))?.[1]
  if (length === undefined) throw new Error('an answer without a content length')
  return headEnd + 4 + Number(length)
}
