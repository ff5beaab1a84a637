// Somebody who is told of events: an HTTP server that keeps what it gets, and answers as a test wants.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { after } from 'node:test'

export interface ReceivedWebhook {
  readonly headers: Headers
  readonly body: string
  /** The event's name. */
  readonly type: string
  readonly seq: number
  readonly path: string
}

export interface WebhookReceiver {
  readonly url: string
  readonly received: readonly ReceivedWebhook[]
  /** Most requests that were open at one time. */
  readonly mostAtOnce: () => number
  /** What it answers from now on; default: 204. */
  answer: (webhook: ReceivedWebhook, response: ServerResponse) => void
}

/** Ends with the file or test that started it. */
export async function startReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = []
  let open = 0
  let most = 0
  const server = createServer(async (request, response) => {
    open++
    most = Math.max(most, open)
    response.on('close', () => open--)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString('utf8')
    const { type, data } = JSON.parse(body)
    const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const webhook = { headers, body, type, seq: data.seq, path: request.url ?? '' }
    received.push(webhook)
    receiver.answer(webhook, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${port}/hooks`,
    received,
    mostAtOnce: () => most,
    answer: (_, response) => void response.writeHead(204).end(),
  }
  return receiver
}
