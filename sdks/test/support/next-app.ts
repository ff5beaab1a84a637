// A Next.js app's handlers without its build: what the framework would call is called, with the cookies of one browser.

// First: what the framework keeps of a request hangs on it.
import 'next/dist/server/node-environment-baseline.js'

import { Auth0Client } from '@auth0/nextjs-auth0/server'
import { type WorkStore, workAsyncStorage } from 'next/dist/server/app-render/work-async-storage.external.js'
import {
  type RequestStore,
  workUnitAsyncStorage,
} from 'next/dist/server/app-render/work-unit-async-storage.external.js'
import { NextRequest, NextResponse } from 'next/server.js'
import { drive } from '../../../packages/server/test/support/actors.ts'
import { Browser } from '../../../packages/server/test/support/browser.ts'
import type { World } from './world.ts'

/** Where the app would be; the browser stops before it, and the answer is handed to the handlers. */
const APP = 'http://127.0.0.1:9'

type Auth0ClientOptions = NonNullable<ConstructorParameters<typeof Auth0Client>[0]>

export class NextApp {
  readonly auth0: Auth0Client
  /** Of the person who uses the app; it is signed in at Tenon. */
  readonly browser = new Browser()
  readonly #cookies = new Map<string, string>()

  constructor(world: World, options: Auth0ClientOptions = {}) {
    this.auth0 = new Auth0Client({
      // A port is taken of a whole URL alone, and `localhost` only so; the requests go by TLS all the same.
      domain: world.url,
      allowInsecureRequests: true,
      clientId: 'web',
      clientSecret: world.secretOf('web'),
      secret: 'a secret of the app alone, sixty-four characters or so, for cookies',
      appBaseUrl: APP,
      enableConnectAccountEndpoint: true,
      authorizationParameters: { scope: 'openid profile email offline_access' },
      ...options,
    })
  }

  request(
    path: string,
    init: {
      readonly method?: string
      readonly body?: string
      readonly headers?: Readonly<Record<string, string>>
    } = {},
  ) {
    const headers = new Headers(init.headers)
    const cookies = [...this.#cookies].map(([name, value]) => `${name}=${value}`)
    if (cookies.length > 0) headers.set('cookie', cookies.join('; '))
    return new NextRequest(new URL(path, APP), { ...init, headers })
  }

  /** What the middleware answers. */
  async open(path: string, init: Parameters<NextApp['request']>[1] = {}): Promise<NextResponse> {
    const response = await this.auth0.middleware(this.request(path, init))
    this.take(response)
    return response
  }

  /** Calls something that may change the session on its way. */
  async with<T>(call: (request: NextRequest, response: NextResponse) => Promise<T>): Promise<T> {
    const response = new NextResponse()
    const result = await call(this.request('/'), response)
    this.take(response)
    return result
  }

  /** Calls something that asks the framework for the request that it serves, as server actions may. */
  inAction<T>(call: () => Promise<T>): Promise<T> {
    const { headers } = this.request('/')
    // The framework's stores hold far more; `headers()` reads this of them.
    const [work, unit] = [{ route: '/' } as WorkStore, { type: 'request', phase: 'action', headers } as RequestStore]
    return workAsyncStorage.run(work, () => workUnitAsyncStorage.run(unit, call))
  }

  take(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const cut = pair.indexOf('=')
      const [name, value] = [pair.slice(0, cut), pair.slice(cut + 1)]
      if (value === '' || /max-age=0\b/i.test(line)) this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
  }

  /** Follows a redirect of the app to Tenon, through its pages, back to the app. Answers with where the app sends on. */
  async roundTrip(response: Response, how: Parameters<typeof drive>[1] = {}): Promise<NextResponse> {
    const location = response.headers.get('location')
    if (location === null) throw new Error(`no redirect: ${response.status} ${await response.text()}`)
    await this.browser.open(location)
    const page = await drive(this.browser, how)
    if (!page.stopped) throw new Error(`stands on ${page.name}: ${page.text.slice(0, 200)}`)
    return this.open(page.url)
  }

  async login(how: Parameters<typeof drive>[1] = {}, query = 'connection=calendar'): Promise<NextResponse> {
    return this.roundTrip(await this.open(`/auth/login?${query}`), how)
  }
}
