// What agents that ask for a yes, and devices, do to a server; and the person who answers them.
import { type Reachable, tokenRequest } from './actors.ts'
import type { Browser, Page } from './browser.ts'
import { type Answer, request } from './http.ts'
import type { TenantDraft } from './tenant.ts'

export const CIBA_GRANT = 'urn:openid:params:grant-type:ciba'
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

/** `agent-a`, `agent-b`, `theirs` and `web` may ask; `tv` is a public client with the device grant. */
export function withApprovals(file: TenantDraft): void {
  for (const client of file.clients) {
    if (['agent-a', 'agent-b', 'theirs', 'web'].includes(String(client.client_id)))
      client.grant_types = [...(client.grant_types as string[]), CIBA_GRANT, DEVICE_GRANT]
  }
  file.clients.push({
    client_id: 'tv',
    name: 'Living room',
    app_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: [DEVICE_GRANT, 'refresh_token'],
  })
}

type Fields = Readonly<Record<string, string | undefined>>

const post = (server: Reachable, path: string, client: string, fields: Fields): Promise<Answer> => {
  const credentials = { client_id: client, client_secret: server.tenant.secrets[client] }
  return request(`${server.url}${path}`, { form: { ...credentials, ...fields } })
}

/** An agent asks a person. */
export function ask(
  server: Reachable,
  sub: string,
  { client = 'agent-a', ...fields }: Fields & { readonly client?: string } = {},
): Promise<Answer> {
  const hint = JSON.stringify({ format: 'iss_sub', iss: server.issuer, sub })
  return post(server, '/bc-authorize', client, {
    scope: 'openid',
    binding_message: 'Pay 42',
    login_hint: hint,
    ...fields,
  })
}

export const poll = (server: Reachable, asked: Answer, client = 'agent-a'): Promise<Answer> =>
  tokenRequest(server, client, { grant_type: CIBA_GRANT, auth_req_id: asked.json.auth_req_id })

/** A device asks for a code. */
export const askByDevice = (
  server: Reachable,
  { client = 'tv', ...fields }: Fields & { readonly client?: string } = {},
): Promise<Answer> => post(server, '/oauth/device/code', client, { scope: 'openid', ...fields })

export const pollByDevice = (server: Reachable, asked: Answer, client = 'tv'): Promise<Answer> =>
  tokenRequest(server, client, { grant_type: DEVICE_GRANT, device_code: asked.json.device_code })

/** The page where a question is answered. */
export const openQuestion = (server: Reachable, browser: Browser, asked: Answer): Promise<Page> =>
  browser.open(`${server.url}/approve?auth_req_id=${encodeURIComponent(asked.json.auth_req_id)}`)

export async function answer(
  server: Reachable,
  browser: Browser,
  asked: Answer,
  action: 'allow' | 'deny',
): Promise<Page> {
  await openQuestion(server, browser, asked)
  return browser.submit('approve', { action })
}
