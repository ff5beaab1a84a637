// Imports by the API, as a management SDK makes them.
import { type ApiCaller, expectStatus, type Reachable } from './actors.ts'
import type { Answer } from './http.ts'
import { request } from './http.ts'
import { PASSWORDS } from './tenant.ts'

export interface ImportJob {
  readonly id: string
  readonly status: string
  readonly summary: {
    readonly total: number
    readonly inserted: number
    readonly updated: number
    readonly failed: number
  }
  /** `code field`, in order. */
  readonly refused: readonly string[]
}

export async function startImport(
  server: Reachable,
  api: ApiCaller,
  users: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { json: connections } = expectStatus(await api.get(`/connections?name=${PASSWORDS}`), 200)
  const form = new FormData()
  form.set('users', new File([users], 'users.json', { type: 'application/json' }))
  for (const [name, value] of Object.entries({ connection_id: connections[0].id, ...fields })) form.set(name, value)
  const sent = new Response(form)
  return request(`${server.url}/api/v2/jobs/users-imports`, {
    method: 'POST',
    headers: { authorization: `Bearer ${api.token}`, 'content-type': sent.headers.get('content-type') ?? '' },
    body: await sent.text(),
  })
}

/** The whole of it: the job, asked for until it is done, and the rows that it refused. */
export async function importUsers(
  server: Reachable,
  api: ApiCaller,
  users: readonly unknown[],
  fields: Readonly<Record<string, string>> = {},
): Promise<ImportJob> {
  const { json } = expectStatus(await startImport(server, api, JSON.stringify(users), fields), 202)
  const job = expectStatus(await api.get(`/jobs/${json.id}`), 200).json
  const errors = await api.get(`/jobs/${json.id}/errors`)
  const refused = errors.status === 204 ? [] : expectStatus(errors, 200).json
  return {
    ...job,
    refused: refused.map(
      ({ errors: [one] }: { errors: { code: string; path: string }[] }) => `${one?.code} ${one?.path}`,
    ),
  }
}
