// The measure of everything: Node's own HTTP server that reads a form and answers JSON of an exchange's size.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const ANSWER = JSON.stringify({
  access_token: 'x'.repeat(46),
  scope: 'calendar.read calendar.write',
  expires_in: 3600,
  issued_token_type: 'http://auth0.com/oauth/token-type/federated-connection-access-token',
  token_type: 'Bearer',
})

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const form = new URLSearchParams(Buffer.concat(chunks).toString())
    response.writeHead(form.has('subject_token') ? 200 : 400, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(ANSWER),
    })
    response.end(ANSWER)
  })
})

server.listen(0, '127.0.0.1', () => {
  // A TCP server has an address with a port.
  const { port } = server.address() as AddressInfo
  console.log(JSON.stringify({ event: 'listening', url: `http://127.0.0.1:${port}` }))
})
process.on('SIGTERM', () => process.exit(0))
