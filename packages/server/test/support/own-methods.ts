// An app in which people change how they sign in, over the My Account API.

import { type ApiCaller, expectStatus, me, meToken, type Reachable, type SignedIn } from './actors.ts'
import { App } from './factors.ts'
import { type Answer, type Headers, request } from './http.ts'

export const METHODS = '/authentication-methods'
export const methodPath = (id: string): string => `${METHODS}/${encodeURIComponent(id)}`

/** Their app, with the token that its refresh token gives now. */
export const ownApp = async (server: Reachable, visit: Pick<SignedIn, 'client' | 'refreshToken'>): Promise<ApiCaller> =>
  me(server, await meToken(server, visit))

export interface Begun {
  readonly id: string
  /** Where the code goes. */
  readonly location: string
  readonly authSession: string
  readonly app: App
  readonly answer: Answer
}

export async function beginApp(api: ApiCaller, headers: Headers = {}): Promise<Begun> {
  const answer = expectStatus(await api.post(METHODS, { type: 'totp' }, headers), 202)
  const { id, auth_session: authSession, totp_secret: secret } = answer.json
  return { id, location: answer.headers.location ?? '', authSession, app: new App(secret), answer }
}

export const verifyApp = (
  { token }: Pick<ApiCaller, 'token'>,
  { location, authSession }: Pick<Begun, 'location' | 'authSession'>,
  code: string,
): Promise<Answer> =>
  request(`${location}/verify`, {
    headers: { authorization: `Bearer ${token}` },
    json: { auth_session: authSession, otp_code: code },
  })
