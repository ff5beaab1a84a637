// What stands behind the proxy in its bench: Node's own HTTP server that answers some JSON; and with an URL as its argument
// the measure of it, a server that does nothing but hand a request on there and the answer back.
import { Agent, createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'

const ANSWER = JSON.stringify({
  items: Array.from({ length: 20 }, (_, id) => ({ id, title: 'A thing of some length' })),
})

const [target] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true })

const server = createServer((request, response) => {
  if (target === undefined) {
    request.resume()
    request.once('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(ANSWER) })
      response.end(ANSWER)
    })
    return
  }
  const { method, headers, url = '/' } = request
  const onward = send(new URL(url, target), { method, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  onward.once('error', () => response.destroy())
  request.pipe(onward)
})

server.listen(0, '127.0.0.1', () => {
  // A TCP server has an address with a port.
  const { port } = server.address() as AddressInfo
  console.log(JSON.stringify({ event: 'listening', url: `http://127.0.0.1:${port}` }))
})
process.on('SIGTERM', () => process.exit(0))
