// Shows the calls that a program makes by fetch.
import type { Report } from './report.ts'

/** A `fetch` that reports each call with its answer and is otherwise the same. */
export function tracingFetch(from: string, report: Report): typeof fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    report.request({ from, method: init?.method ?? 'GET', url, sent: fieldsOf(init?.body) })
    let response: Response
    try {
      response = await fetch(input, init)
    } catch (error) {
      report.answer({ from, status: undefined, answer: failureOf(error) })
      throw error
    }
    report.answer({ from, status: response.status, answer: await answerOf(response.clone()) })
    return response
  }
}

/** Says why a call got no answer at all. */
export function failureOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined
  const { code, message } = Object(cause ?? error)
  return `no answer: ${code ?? message ?? error}`
}

function fieldsOf(body: unknown): Readonly<Record<string, unknown>> | undefined {
  if (body instanceof URLSearchParams) return Object.fromEntries(body)
  // Only JSON objects are sent otherwise.
  return typeof body === 'string' ? (JSON.parse(body) as Record<string, unknown>) : undefined
}

async function answerOf(response: Response): Promise<string | Readonly<Record<string, unknown>>> {
  const body: unknown = await response.json().catch(() => undefined)
  if (Array.isArray(body)) return { list: body }
  // An object, then: its members are only shown.
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : ''
}
