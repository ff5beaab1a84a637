// Where a client is told that a session of its ended (OpenID Connect Back-Channel Logout 1.0).
import { createServer } from 'node:http'
import { after } from 'node:test'

export interface Posted {
  readonly type: string | undefined
  readonly token: string
}

/** An app's own endpoint; answers are statuses for the next ones, 204 otherwise, or none once it holds. Closes with the file. */
export async function startLogoutReceiver() {
  const posted: Posted[] = []
  const answers: number[] = []
  let holding = false
  const server = createServer((incoming, response) => {
    let body = ''
    incoming.on('data', (chunk) => {
      body += chunk
    })
    incoming.on('end', () => {
      const status = answers.shift() ?? 204
      if (status === 204)
        posted.push({
          type: incoming.headers['content-type'],
          token: new URLSearchParams(body).get('logout_token') ?? '',
        })
      if (!holding) response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const hold = () => {
    holding = true
  }
  return { url: `http://127.0.0.1:${port}/backchannel`, posted, answers, hold }
}
