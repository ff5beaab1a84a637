// Keeps one engine for the signing keys that count now: keys are read again every second, and new ones get a new engine.
import { setInterval } from 'node:timers'
import type { Keyring } from '../crypto/keyring.ts'
import { createEngine, type EngineDeps, type EngineHandler } from './engine.ts'
import { certifyKeys, readSigningKeys, type SigningKeySet } from './signing-keys.ts'

export interface EngineHost {
  readonly handle: EngineHandler
  readonly keys: () => SigningKeySet
  close(): void
}

const POLL_MS = 1000

/** Starts the engine; `ensureSigningKeys` has run. */
export async function hostEngine(
  deps: Omit<EngineDeps, 'signingKeys' | 'certificates'> & { readonly keyring: Keyring },
): Promise<EngineHost> {
  let keys = await readSigningKeys(deps)
  let handler = await engineOf(keys)
  const timer = setInterval(() => {
    refresh().catch((error: unknown) => deps.log.error({ err: error }, 'signing keys could not be read'))
  }, POLL_MS)
  timer.unref()

  async function refresh(): Promise<void> {
    const found = await readSigningKeys(deps)
    if (found.version === keys.version) return
    handler = await engineOf(found)
    keys = found
  }

  async function engineOf(found: SigningKeySet): Promise<EngineHandler> {
    return createEngine({ ...deps, signingKeys: found.privateJwks, certificates: await certifyKeys(deps, found) })
  }

  return {
    handle: (request, response) => handler(request, response),
    keys: () => keys,
    close: () => clearInterval(timer),
  }
}
