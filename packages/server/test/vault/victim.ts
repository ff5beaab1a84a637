/** A node that refreshes one account and stops for good at a step of it, so that a test can kill it there. */
import { openKeyring } from '../../src/crypto/keyring.ts'
import { systemClock } from '../../src/lib/time.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Connector } from '../../src/upstream/connector.ts'
import { createConnectors } from '../../src/upstream/connectors.ts'
import { createSafeFetch } from '../../src/upstream/safe-fetch.ts'
import { createVault } from '../../src/vault/vault.ts'
import { readOrders, type Step } from './victim-orders.ts'

const { url, keyFile, connection, accountId, step } = readOrders(process.argv[2])
const storage = await openStorage({ url })
const fetch = createSafeFetch({ allowedPrivateNetworks: ['127.0.0.0/8'] })
const connector = createConnectors({ fetch, clock: systemClock }).for(connection)
const vault = createVault({
  storage,
  keyring: openKeyring({ source: `file:${keyFile}` }),
  connectorFor: async () => stoppingAt(connector),
  clock: systemClock,
  settings: () => ({ refreshTimeoutSeconds: 10, refreshMarginSeconds: 60 }),
  log: { info() {}, warn() {}, error() {} },
})
const stayAlive = setInterval(() => {}, 60_000)
await vault.freshToken(accountId)
await reach('written')
clearInterval(stayAlive)

function stoppingAt(real: Connector): Connector {
  return {
    ...real,
    async refresh(request) {
      await reach('intended')
      const answer = await real.refresh(request)
      await reach('answered')
      return answer
    },
  }
}

async function reach(here: Step): Promise<void> {
  if (here !== step) return
  process.stdout.write(`${here}\n`)
  await new Promise(() => {})
}
