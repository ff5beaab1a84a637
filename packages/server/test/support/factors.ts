// A person's authenticator app, and what they do with it.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import type { Reachable } from './actors.ts'
import { authorize } from './actors.ts'
import type { Authenticator, Lie, PasskeyOptions } from './authenticator.ts'
import { Browser, type Page } from './browser.ts'
import type { Person } from './tenant.ts'

/** RFC 4226 §5.3 and RFC 6238, by hand: the server's library shall not judge itself. */
export class App {
  readonly key: string

  /** In base32, as a page shows it. */
  constructor(key: string) {
    this.key = key
  }

  code(at: number = Date.now() / 1000): string {
    const step = Buffer.alloc(8)
    step.writeBigUInt64BE(BigInt(Math.floor(at / 30)))
    const mac = createHmac('sha1', fromBase32(this.key)).update(step).digest()
    const offset = (mac.at(-1) ?? 0) & 0xf
    return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
  }

  /** The code after this one, which is good already. */
  next = (): string => this.code(Date.now() / 1000 + 30)
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

function fromBase32(text: string): Buffer {
  const bits = [...text.replaceAll(/\s/g, '')].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0'))
  return Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

export interface Enrolled {
  readonly app: App
  readonly codes: readonly string[]
}

/** Sets up an app, in a browser that is signed in and has shown that a moment ago. */
export async function enrolApp(browser: Browser, server: Pick<Reachable, 'url'>): Promise<Enrolled> {
  await browser.open(`${server.url}/account/connections`)
  await browser.submit('second-step', { action: 'add-app' })
  assert.equal(browser.page.name, 'second-step-app')
  const app = new App(/<code class="key">([A-Z2-7 ]+)<\/code>/.exec(browser.page.body)?.[1]?.replaceAll(' ', '') ?? '')
  await browser.submit('second-step-app', { fields: { code: app.code() } })
  assert.equal(browser.page.name, 'recovery-codes', browser.page.text)
  const codes = [...browser.page.body.matchAll(/<code>([a-z0-9-]{19})<\/code>/g)].map(([, code]) => code ?? '')
  assert.equal(codes.length, 10)
  return { app, codes }
}

/** What the page asks a device for. */
export const optionsOn = (browser: Browser): PasskeyOptions =>
  JSON.parse((browser.form('passkey').attributes.get('data-options') ?? '').replaceAll('&quot;', '"'))

/** Up to the page on which the browser makes a passkey, at the connection of `ownWays`. */
export async function toNewPasskey(browser: Browser, server: Pick<Reachable, 'url'>): Promise<Page> {
  await browser.open(`${server.url}/account/connections`)
  return browser.submit('link', { connection: 'passkeys' })
}

/** Adds a passkey to the account that is signed in, and has shown that a moment ago. */
export async function addPasskey(
  browser: Browser,
  server: Pick<Reachable, 'url'>,
  device: Authenticator,
  lie: Lie = {},
): Promise<Page> {
  await toNewPasskey(browser, server)
  return browser.submit('passkey', { fields: { passkey: device.make(optionsOn(browser), lie), label: 'My device' } })
}

/** Up to the page of the second step, in a browser of its own unless one is given. */
export async function toSecondStep(server: Reachable, user: Person, browser = new Browser()): Promise<Browser> {
  const { page } = await authorize(browser, server, { user })
  assert.equal(page.name, 'mfa', page.text)
  return browser
}

export const typeCode = (browser: Browser, code: string): Promise<Page> =>
  browser.submit('mfa-code', { fields: { code } })

export const typeRecovery = (browser: Browser, recovery: string): Promise<Page> =>
  browser.submit('mfa-recovery', { fields: { recovery } })

/** Connections for codes by mail and for passkeys, as a tenant file has them. */
export const ownWays = (clients: readonly string[] = ['web', 'spa']) => [
  { name: 'email', strategy: 'email', display_name: 'E-mail', enabled_clients: clients, options: {} },
  { name: 'passkeys', strategy: 'passkey', display_name: 'Passkey', enabled_clients: clients, options: {} },
]
