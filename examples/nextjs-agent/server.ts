// Calls the handlers as Next.js does, so that the example needs no build.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { NextRequest } from 'next/server.js'
import { route } from './routes.ts'

const { APP_URL = '', PORT = '0' } = process.env

createServer((incoming, outgoing) => {
  serve(incoming, outgoing).catch((error: unknown) => {
    console.error(error)
    outgoing.writeHead(500).end()
  })
}).listen(Number(PORT), 'localhost', () => console.log('listening'))

async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/' } = incoming
  const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)])
  const body = method === 'GET' ? {} : { body: await buffer(incoming) }
  const response = await route(new NextRequest(new URL(url, APP_URL), { method, headers, ...body }))
  const cookies = response.headers.getSetCookie()
  outgoing.writeHead(response.status, { ...Object.fromEntries(response.headers), 'set-cookie': cookies })
  outgoing.end(Buffer.from(await response.arrayBuffer()))
}
