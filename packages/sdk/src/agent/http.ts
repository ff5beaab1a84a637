// One request to Tenon: what comes back is a JSON object or an error that says what came instead.
import { isObject, TenonError } from './refusals.ts'

export type Fetch = typeof fetch

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** @throws {TenonError} `unreachable`; `malformed_answer`: something before Tenon answered, or nothing of Tenon's. */
export async function send(fetch: Fetch, url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, { redirect: 'manual', ...init }).catch((cause: unknown) => {
    throw new TenonError('unreachable', 'Tenon does not answer.', { cause })
  })
  const text = await response.text().catch((cause: unknown) => {
    throw new TenonError('unreachable', 'The answer broke off.', { status: response.status, cause })
  })
  const body = text === '' ? {} : parse(text)
  if (!isObject(body))
    throw new TenonError('malformed_answer', `No answer of Tenon's, status ${response.status}.`, {
      status: response.status,
    })
  return { status: response.status, body }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
