// Binds interactions to the browser that started them.
//
// The engine keeps one cookie per interaction under a path of its own. We have one `__Host-` cookie that names the
// browser, and the interaction's row holds its hash: several tabs work side by side, and no other browser can go on
// with an interaction (T-AS-16).
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { sha256Hex } from '../crypto/hashing.ts'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'
import { identifyBrowser, readCookie, SESSION_COOKIE } from '../sessions/browser-cookies.ts'
import type { Storage } from '../storage/storage.ts'
import type { EngineDeps } from './engine.ts'

const RESUME = 'resume'
const ENGINE_ONLY = new Set(['interaction', RESUME])

interface CookieJar {
  secure: boolean
  get(name: string, options?: object): string | undefined
  set(name: string, value?: string | null, options?: object): unknown
}

interface BrowserInteraction {
  readonly uid: string
  exp?: number
  browser?: string
  save(ttlSeconds: number): Promise<unknown>
}

/** Writes the browser's hash into the interaction, and the browser cookie where there is none yet. */
export async function bindBrowser(ctx: KoaContextWithOIDC, interaction: BrowserInteraction): Promise<void> {
  const browser = identifyBrowser(ctx.req.headers.cookie)
  if (browser.setCookie !== undefined) ctx.append('set-cookie', browser.setCookie)
  interaction.browser = browser.hash
  const now = Math.floor(Date.now() / 1000)
  await interaction.save((interaction.exp ?? now + 1) - now)
}

/**
 * Makes every cookie of the engine a host cookie. Loopback over plain http counts as secure: browsers treat it so, and
 * the engine would refuse to set a secure cookie there.
 */
export function withHostCookies(provider: Provider, deps: Pick<EngineDeps, 'storage' | 'settings'>): void {
  const { storage, settings } = deps
  const createContext = provider.createContext.bind(provider)
  provider.createContext = (request, response) => {
    const ctx = createContext(request, response)
    // Koa's own jar; only these members are used.
    const jar = ctx.cookies as unknown as CookieJar
    jar.secure = true
    const set = jar.set.bind(jar)
    jar.set = (name, value, options) =>
      ENGINE_ONLY.has(name)
        ? jar
        : set(name, value, { ...options, path: '/', sameSite: settings().cookieSameSite, secure: true })
    return ctx
  }
  provider.use(async (ctx, next) => {
    const uid = resumedUid(ctx.path)
    if (uid === undefined) return next()
    const bound = await mayResume(storage, uid, ctx.req.headers.cookie)
    const jar = ctx.cookies as unknown as CookieJar
    const get = jar.get.bind(jar)
    jar.get = (name, options) => (name === RESUME ? (bound ? uid : undefined) : get(name, options))
    return next()
  })
}

const resumedUid = (path: string): string | undefined => /^\/authorize\/([\w-]+)$/.exec(path)?.[1]

/**
 * The browser that started it, holding the session of whoever signed in for it: a sign-in that was not followed up does
 * not outlive the sign-out after it, and does not turn another person's session into its own.
 */
async function mayResume(storage: Storage, uid: string, cookies: string | undefined): Promise<boolean> {
  const interaction = await storage.artifacts.find('Interaction', sha256Hex(uid))
  const browser = interaction?.payload.browser
  if (interaction === undefined || !isString(browser) || browser !== identifyBrowser(cookies).hash) return false
  const userId = signedInFor(interaction.payload)
  if (userId === undefined) return true
  const cookie = readCookie(cookies, SESSION_COOKIE)
  const session = cookie === undefined ? undefined : await storage.artifacts.find('Session', sha256Hex(cookie))
  return session?.userId === userId
}

function signedInFor({ result }: JsonObject): unknown {
  return isJsonObject(result) && isJsonObject(result.login) ? result.login.accountId : undefined
}
