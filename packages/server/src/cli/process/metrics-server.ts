// `/metrics` on a port of its own: what it tells is nobody's business on the public one.
import { createServer } from 'node:http'
import type { Registry } from 'prom-client'

interface Options {
  readonly host: string
  readonly port: number
  /** Metrics of all processes, at this moment. */
  readonly registry: () => Promise<Registry>
}

export async function serveMetrics({ host, port, registry }: Options): Promise<{ close(): void }> {
  const server = createServer(async (request, response) => {
    if (request.url?.split('?')[0] !== '/metrics' || !['GET', 'HEAD'].includes(request.method ?? '')) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n')
      return
    }
    try {
      const current = await registry()
      response.writeHead(200, { 'content-type': current.contentType }).end(await current.metrics())
    } catch {
      response.writeHead(503, { 'content-type': 'text/plain' }).end('metrics are not available\n')
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, resolve)
  })
  return {
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
