/** From a request to its answer, past the knobs. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Answer, jsonAnswer, parseFields, readBody, textAnswer, writeAnswer } from './http.ts'
import type { Endpoint, LogEntry } from './journal.ts'
import type { Provider } from './provider.ts'
import type { Call, Route } from './shape.ts'

export function serve(provider: Provider, request: IncomingMessage, response: ServerResponse): void {
  answerRequest(provider, request, response).catch((error: unknown) => {
    // A caller that went away while it was read or answered is no news.
    if (request.destroyed || response.destroyed) return
    writeAnswer(response, textAnswer(500, `the provider broke: ${error instanceof Error ? error.stack : error}`))
  })
}

async function answerRequest(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', provider.url)
  const rawBody = await readBody(request)
  if (rawBody === undefined) return writeAnswer(response, jsonAnswer(413, { error: 'invalid_request' }))
  const entry = journalEntry(provider, request, url, rawBody)
  response.once('finish', () => {
    entry.status = response.statusCode
  })
  provider.journal.add(entry)

  const failure = await provider.knobs.before(entry.endpoints, provider.nowMs)
  if (failure?.kind === 'respond') return failure.respond(request, response)
  const answer = failure?.answer ?? dispatch(provider, { request, response, url, entry })
  if ((await provider.knobs.after(entry.endpoints)) === 'lose') {
    request.socket.resetAndDestroy()
    return
  }
  writeAnswer(response, answer)
}

function dispatch(provider: Provider, call: Call): Answer {
  const route = findRoute(provider, call.url)
  return route === undefined ? jsonAnswer(404, { error: 'not_found' }) : route.handle(provider, call)
}

const findRoute = ({ routes }: Provider, { pathname }: URL): Route | undefined =>
  routes.find(({ path }) => (path.endsWith('/*') ? pathname.startsWith(path.slice(0, -1)) : path === pathname))

function journalEntry(provider: Provider, request: IncomingMessage, url: URL, rawBody: string): LogEntry {
  const body = parseFields(request.headers['content-type'], rawBody)
  const route = findRoute(provider, url)
  return {
    atMs: Date.now(),
    endpoints: endpointNames(route?.endpoint ?? 'other', body.grant_type),
    method: request.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    body,
    rawBody,
  }
}

function endpointNames(endpoint: Endpoint, grantType: string | undefined): readonly Endpoint[] {
  if (endpoint !== 'token') return [endpoint]
  return ['token', grantType === 'refresh_token' ? 'refresh' : 'code']
}
