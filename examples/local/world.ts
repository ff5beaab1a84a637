// What runs around an example's app: providers on loopback, Tenon as a process of its own, by TLS as the SDKs want it.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../tools/lib/free-port.ts'
import { ensureSdks } from '../../tools/sdks.ts'
import { startTenon } from '../demo/tenon-process.ts'
import { startScene as langgraphAgent } from '../langgraph-agent/scene.ts'
import { startScene as nextjsAgent } from '../nextjs-agent/scene.ts'
import { startScene as spaSettings } from '../spa-settings/scene.ts'
import { startScene as suggestedLinking } from '../suggested-linking/scene.ts'

/** The providers of an example, and what Tenon is told of its app. */
export interface Scene {
  readonly tenant: object
  /** For the app's process, besides where it and Tenon are. */
  readonly env: Readonly<Record<string, string>>
  /** What a person should know before they open it. */
  readonly hints: readonly string[]
  stop(): Promise<void>
}

export interface AppPlace {
  /** Without a slash at its end. */
  readonly url: string
  readonly clientSecret: string
}

const SCENES = {
  'langgraph-agent': langgraphAgent,
  'nextjs-agent': nextjsAgent,
  'spa-settings': spaSettings,
  'suggested-linking': suggestedLinking,
} as const

export type ExampleName = keyof typeof SCENES
export const NAMES = Object.keys(SCENES)
export const isExample = (name: string): name is ExampleName => NAMES.includes(name)

export interface Example<S extends Scene = Scene> {
  readonly scene: S
  readonly url: string
  readonly issuer: string
  /** The authority that a client of Tenon trusts. */
  readonly authority: string
  /** What the app said. */
  readonly output: () => string
  stop(): Promise<void>
}

/** @param port of the app; 0 takes a free one. @throws {Error} a part did not start; everything is gone again. */
export async function startExample<N extends ExampleName>(
  name: N,
  port = 0,
): Promise<Example<Awaited<ReturnType<(typeof SCENES)[N]>>>> {
  ensureSdks()
  const cleanups: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  }
  try {
    const folder = await mkdtemp(join(tmpdir(), 'tenon-example-'))
    cleanups.push(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
    const [appPort, tenonPort] = [port === 0 ? await freePort() : port, await freePort()]
    const place: AppPlace = {
      url: `http://localhost:${appPort}`,
      clientSecret: randomBytes(32).toString('base64url'),
    }
    // The cast holds: the scene is the one of that name.
    const scene = (await SCENES[name](place)) as Awaited<ReturnType<(typeof SCENES)[N]>>
    cleanups.push(() => scene.stop())
    const tenantPath = join(folder, 'tenant.json')
    await writeFile(tenantPath, JSON.stringify(scene.tenant), { mode: 0o600 })
    const dataDir = join(folder, 'data')
    const issuer = `https://localhost:${tenonPort}/`
    const flags = ['--tls-self-signed', '--port', String(tenonPort), '--issuer', issuer]
    const tenon = await startTenon({ dataDir, tenantPath, flags })
    cleanups.push(() => tenon.stop())
    const app = spawn(process.execPath, [join(import.meta.dirname, '..', name, 'server.ts')], {
      env: {
        ...process.env,
        ...scene.env,
        // Read when a process starts: this is how an app trusts a certificate of development.
        NODE_EXTRA_CA_CERTS: join(dataDir, 'tls', 'ca.pem'),
        APP_URL: place.url,
        PORT: String(appPort),
        AUTH0_DOMAIN: `localhost:${tenonPort}`,
        AUTH0_CLIENT_SECRET: place.clientSecret,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    cleanups.push(() => end(app))
    const output = await listening(app)
    const authority = await readFile(join(dataDir, 'tls', 'ca.pem'), 'utf8')
    return { scene, url: place.url, issuer, authority, output, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function listening(app: ChildProcess): Promise<() => string> {
  let said = ''
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  for (const stream of [app.stdout, app.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('listening')) resolve()
    })
  }
  const ended = once(app, 'close').then(() => Promise.reject(new Error(`the app ended: ${said}`)))
  await Promise.race([ready, ended])
  ended.catch(() => {
    // Later it may end: `stop` ends it.
  })
  return () => said
}

async function end(app: ChildProcess): Promise<void> {
  if (app.exitCode !== null || app.signalCode !== null) return
  const ended = once(app, 'close')
  app.kill('SIGTERM')
  await ended
}
