// Composition: builds the application of one process from its configuration. Nobody but `cli/` imports it.
import { Registry } from 'prom-client'
import { applyTenant, SETTINGS_KEY } from './accounts/apply-tenant.ts'
import { createCodeLimits, createMailLimits, createSignInLimits } from './accounts/limits.ts'
import { createLinkNotices } from './accounts/link-notices.ts'
import { createOrigins } from './api/cors.ts'
import { createManagementApi, managementOperations } from './api/management/app.ts'
import { createMeApi, meOperations } from './api/me/app.ts'
import { createProxy } from './api/me/proxy.ts'
import { proxyPaths } from './api/me/proxy-document.ts'
import { openApiDocument } from './api/openapi.ts'
import type { App, CreateApp, PrepareDeployment } from './config/app-contract.ts'
import type { ServerConfig } from './config/server-config.ts'
import { tenantFor } from './config/tenant-source.ts'
import { deriveKey, keyedName } from './crypto/hashing.ts'
import { type Keyring, openKeyring } from './crypto/keyring.ts'
import { createPasswords } from './crypto/passwords.ts'
import { parseSettings, type Settings } from './domain/settings.ts'
import { senderOf, transportFromUrl } from './events/mail-transport.ts'
import { createMailer } from './events/mailer.ts'
import { createWebhookDeliverer } from './events/webhook-deliverer.ts'
import type { FlowErrorCode } from './flows/flow-error.ts'
import type { Breakdown } from './flows/outcome.ts'
import type { JsonObject } from './lib/json.ts'
import { createMinuteLimit } from './lib/minute-limit.ts'
import { startPeriodic } from './lib/periodic.ts'
import { systemClock } from './lib/time.ts'
import { createAccessTokens } from './oauth/access-tokens.ts'
import { createBackchannelLogout } from './oauth/backchannel-logout.ts'
import { loadDpopNonces, loadDpopValidation } from './oauth/dpop.ts'
import { type EngineError, type EngineSettings, loadEngine } from './oauth/engine.ts'
import { hostEngine } from './oauth/engine-host.ts'
import { createExchange } from './oauth/exchange.ts'
import { createExchangeLimits } from './oauth/exchange-limits.ts'
import { createExchangeSwitch } from './oauth/exchange-switch.ts'
import { recordForgottenCalls } from './oauth/forgotten-calls.ts'
import { createProofOfPossession } from './oauth/proof-of-possession.ts'
import { dropOldSigningKeys, ensureSigningKeys } from './oauth/signing-keys.ts'
import { createSubjectProver } from './oauth/subject-profile.ts'
import { createUsePolicy } from './oauth/use-policy.ts'
import { createSessions } from './sessions/sessions.ts'
import { followDatabaseClock } from './storage/database-clock.ts'
import { migrate } from './storage/migrate.ts'
import { openStorage } from './storage/open.ts'
import type { ConnectionRecord } from './storage/records.ts'
import type { Storage } from './storage/storage.ts'
import { apiHostsOf, createConnectors } from './upstream/connectors.ts'
import { createSafeFetch } from './upstream/safe-fetch.ts'
import { createSafeStream } from './upstream/safe-stream.ts'
import { createConnectionReader } from './vault/connections.ts'
import { checkVaultKey, deploymentSecret, samlDecryptionKey, samlKey } from './vault/meta-secrets.ts'
import { createVault } from './vault/vault.ts'
import { loadAssets } from './web/assets.ts'
import { createHandler } from './web/handler.ts'
import { createMetrics } from './web/metrics.ts'
import { createPageResponder } from './web/page-responder.ts'
import { frameableBy, pageHeaders } from './web/security-headers.ts'

const clock = systemClock
const SETTINGS_POLL_MS = 1000
const CLEAN_UP_MS = 60_000
/** A provider's API may think for so long, or pause. */
const PROXY_SILENCE_SECONDS = 60
/** For one client and user in a minute, at both JSON interfaces together. */
const API_REQUESTS = 300

/** @see PrepareDeployment */
export const prepareDeployment: PrepareDeployment = async ({ config, issuer }) => {
  const keyring = openKeyring({ source: config.vaultKey, create: true, pollMs: 0 })
  const url = databaseUrl(config)
  const storage = await openChecked(url, keyring)
  try {
    await ensureSigningKeys({ storage, keyring, clock })
    await deploymentSecret({ storage, keyring })
    const file = config.tenant === undefined ? undefined : tenantFor(config.tenant, issuer)
    await applyTenant({ storage, keyring, passwords: createPasswords(), clock, issuer }, file)
  } finally {
    await storage.close()
    keyring.close()
  }
}

/** A wrong key is found before anything is written; an empty database is migrated first. */
async function openChecked(url: string, keyring: Keyring): Promise<Storage> {
  const before = await openStorage({ url }).catch(() => undefined)
  if (before !== undefined) {
    try {
      await checkVaultKey({ storage: before, keyring })
    } finally {
      await before.close()
    }
  }
  await migrate(url)
  const storage = await openStorage({ url })
  await checkVaultKey({ storage, keyring })
  return storage
}

/** @see CreateApp */
export const createApp: CreateApp = async ({ config, issuer, log }): Promise<App> => {
  const storage = await openStorage({ url: databaseUrl(config) })
  const keyring = openKeyring({
    source: config.vaultKey,
    onReloadError: (error) => log.error({ err: error }, 'the key file could not be read'),
  })
  const settings = await followSettings(storage, (error) => log.error({ err: error }, 'settings could not be read'))
  if (settings.current().dangerouslyAcceptUserinfoQueryToken) {
    log.warn(
      { event: 'dangerous', setting: 'compatibility.dangerously_accept_userinfo_query_token' },
      'user-info takes access tokens in URLs',
    )
  }
  if (settings.current().sessions.cookieSameSite === 'none') {
    log.warn(
      { event: 'dangerous', setting: 'sessions.cookie_same_site' },
      'session cookies travel with requests that other sites make',
    )
  }
  const allowedPrivateNetworks = config.dangerouslyAllowUpstreamNetwork
  const fetch = createSafeFetch({ allowedPrivateNetworks })
  const stream = createSafeStream({ allowedPrivateNetworks, silenceSeconds: PROXY_SILENCE_SECONDS })
  const connectors = createConnectors({
    fetch,
    clock,
    saml: {
      issuer,
      key: () => samlKey({ storage, keyring }),
      decryptionKey: () => samlDecryptionKey({ storage, keyring }),
    },
  })
  const connections = createConnectionReader({ keyring })
  const registry = new Registry()
  const metrics = createMetrics(registry, storage)
  const leaseClock = await followDatabaseClock(storage, {
    clock,
    onError: (error) => log.error({ err: error }, "the database's clock could not be read"),
  })
  const vault = createVault({
    leaseClock: leaseClock.now,
    storage,
    keyring,
    connectorFor: async (id, { deletedToo = false } = {}) => {
      const connection =
        (await connections.find(storage, id)) ?? (deletedToo ? await connections.findFormer(storage, id) : undefined)
      return connection && metrics.countingRefreshes(connectors.for(connection))
    },
    clock,
    settings: () => settings.current().vault,
    log,
  })
  const passwords = createPasswords()
  const assets = loadAssets()
  const responder = createPageResponder({ issuer, settings: settings.current, assets })
  const sessions = createSessions({ storage, clock, limits: () => settings.current().sessions })
  const limits = { storage, clock, enabled: () => settings.current().rateLimitsEnabled }
  const signInLimits = createSignInLimits(limits)
  const secret = await deploymentSecret({ storage, keyring })
  const dpopNonceSecret = deriveKey(secret, 'dpop nonce')
  const nameKey = deriveKey(secret, 'names')
  const nonces = await loadDpopNonces(dpopNonceSecret)
  const possession = createProofOfPossession({ issuer, storage, clock, nonces })
  const approvals = { issuer, keyring, tenant: () => settings.current().friendlyName }
  const policies = createUsePolicy({ storage, approvals })
  const engine = await hostEngine({
    library: await loadEngine(log),
    validateDpop: await loadDpopValidation(),
    issuer,
    storage,
    keyring,
    clock,
    settings: () => engineSettings(settings.current()),
    passwords,
    signInLimits,
    dpopNonceSecret,
    renderError: (error) => {
      const page = { name: 'error', code: pageCode(error), hint: error.description } as const
      const browser = { secret: '', hash: '', setCookie: undefined }
      return { status: error.status, ...responder.errorPage(page, browser, error.requestId) }
    },
    answerHeaders: pageHeaders({ kind: 'engine', https: issuer.startsWith('https:') }),
    frameableBy,
    verifyIdToken: (token) => accessTokens.verifyIdToken(token),
    verifyAccess: (token) => accessTokens.verify(token),
    proveSubject: createSubjectProver({ storage, connections, connectors }),
    exchangeLimits: createExchangeLimits({ enabled: () => settings.current().rateLimitsEnabled }),
    approvals,
    interactionUrl: (uid) => `/u/login?state=${uid}`,
    log,
  })
  const accessTokens = createAccessTokens({ storage, clock, issuer, keys: engine.keys })
  const origins = createOrigins({ storage, clock })
  const limit = createMinuteLimit({ points: API_REQUESTS, enabled: () => settings.current().rateLimitsEnabled })
  const apis = {
    limit,
    issuer,
    storage,
    clock,
    accessTokens,
    possession,
    vault,
    keyring,
    passwords,
    allowedPrivateNetworks,
    origins,
    sharing: () => settings.current().vault.sharing,
    apiHostsOf: (record: ConnectionRecord) => apiHostsOf(connectors, connections.open(record)),
    log,
  }
  const notifyLink = createLinkNotices({ issuer, keyring, tenant: () => settings.current().friendlyName })
  const mailLimits = createMailLimits(limits)
  const meDeps = { ...apis, settings: settings.current, signInLimits, notify: notifyLink }
  const managementDeps = {
    ...apis,
    linking: () => settings.current().linking,
    notify: notifyLink,
    settings: settings.current,
    settingsChanged: settings.refresh,
    mailLimits,
  }
  // Made when somebody asks: it costs a third of the start.
  let openApi: JsonObject | undefined
  const handler = createHandler({
    issuer,
    storage,
    clock,
    keyring,
    passwords,
    connectors,
    connections,
    sessions,
    accessTokens,
    possession,
    vault,
    settings: settings.current,
    signInLimits,
    mailLimits,
    codeLimits: createCodeLimits(limits),
    notifyLink,
    keyedName: (text) => keyedName(nameKey, text),
    log,
    responder,
    assets,
    origins,
    acceptQueryToken: () => settings.current().dangerouslyAcceptUserinfoQueryToken,
    trustProxy: config.trustProxy,
    ready: () => storage.ready(),
    openApi: () => {
      openApi ??= openApiDocument(issuer, {
        management: managementOperations(managementDeps),
        me: meOperations(meDeps),
        more: proxyPaths,
      })
      return openApi
    },
    managementApi: createManagementApi(managementDeps),
    meApi: createMeApi(meDeps),
    proxy: createProxy({ ...apis, connections, connectors, policies, stream, settings: settings.current }),
    engine: engine.handle,
    exchange: metrics.countingExchanges(
      createExchange({
        issuer,
        storage,
        clock,
        vault,
        connectors,
        connections,
        accessTokens,
        policies,
        settings: settings.current,
      }),
    ),
    isOwnExchange: createExchangeSwitch(storage),
    count: metrics.count,
  })
  const mailer = createMailer({
    storage,
    keyring,
    transport: transportFromUrl(mailUrl(config)),
    clock,
    leaseClock: leaseClock.now,
    log,
    from: senderOf(issuer),
  })
  mailer.start()
  const backchannelLogout = createBackchannelLogout({
    leaseClock: leaseClock.now,
    storage,
    issuer,
    keys: engine.keys,
    fetch,
    clock,
    log,
  })
  backchannelLogout.start()
  const webhooks = createWebhookDeliverer({ storage, keyring, fetch, clock, leaseClock: leaseClock.now, log })
  webhooks.start()
  vault.start({ takeOverLeases: config.database.kind === 'sqlite' && config.workers === 1 })
  const cleanUp = startPeriodic({
    everyMs: CLEAN_UP_MS,
    work: () => dropExpired(storage, { keyring, accessTokenSeconds: settings.current().tokens.accessTokenSeconds }),
    onError: (error) => log.error({ err: error }, 'what has expired could not be removed'),
  })
  return {
    handler,
    ready: () => storage.ready(),
    metrics: registry,
    async close() {
      engine.close()
      await Promise.all([
        cleanUp.stop(),
        settings.stop(),
        leaseClock.stop(),
        mailer.stop(),
        backchannelLogout.stop(),
        webhooks.stop(),
        vault.stop(),
        stream.close(),
      ])
      keyring.close()
      await storage.close()
    },
  }
}

const databaseUrl = ({ database }: ServerConfig): string =>
  database.kind === 'sqlite' ? `sqlite:${database.path}` : database.url

const mailUrl = ({ mail }: ServerConfig): string => (mail.kind === 'folder' ? `file:${mail.path}` : mail.url)

function engineSettings(settings: Settings): EngineSettings {
  const {
    tokens,
    sessions,
    linking,
    logoutEndpointInDiscovery,
    defaultAudience,
    defaultDirectory,
    dynamicRegistration,
  } = settings
  return {
    accessTokenSeconds: tokens.accessTokenSeconds,
    codeSeconds: tokens.codeSeconds,
    refreshGraceSeconds: tokens.refreshRotationGraceSeconds,
    sessionIdleSeconds: sessions.idleSeconds,
    sessionAbsoluteSeconds: sessions.absoluteSeconds,
    cookieSameSite: sessions.cookieSameSite,
    reauthenticationSeconds: linking.reauthenticationSeconds,
    endSessionInDiscovery: logoutEndpointInDiscovery,
    dynamicRegistration,
    defaultAudience,
    defaultDirectory,
  }
}

/** The engine's error codes under the names of our pages. */
function pageCode({ code, status, description }: EngineError): FlowErrorCode | Breakdown {
  if (status >= 500) return code === 'temporarily_unavailable' ? code : 'server_error'
  if (description?.includes('interaction') || description?.includes('request has expired')) return 'interaction_expired'
  return code === 'invalid_client' || code === 'invalid_redirect_uri' || code === 'access_denied'
    ? code
    : 'invalid_request'
}

/** Tenant settings, read again every second: other nodes and commands change them. */
async function followSettings(storage: Storage, onError: (error: unknown) => void) {
  const read = async (): Promise<Settings> => {
    // Written by us, checked when it was.
    const document = JSON.parse((await storage.meta.find(SETTINGS_KEY)) ?? '{}') as JsonObject
    return parseSettings(document)
  }
  let current = await read()
  const refresh = async () => {
    current = await read()
  }
  const periodic = startPeriodic({ everyMs: SETTINGS_POLL_MS, work: refresh, onError })
  return { current: () => current, refresh, stop: () => periodic.stop() }
}

async function dropExpired(
  storage: Storage,
  { keyring, accessTokenSeconds }: { keyring: Keyring; accessTokenSeconds: number },
): Promise<void> {
  const before = clock()
  const limit = 500
  await recordForgottenCalls(storage, before)
  await storage.transaction(async (tx) => {
    await tx.artifacts.deleteExpired(before, limit)
    await tx.replays.deleteExpired(before, limit)
    await tx.transactions.deleteExpired(before, limit)
    await tx.connects.deleteExpired(before, limit)
    await tx.limits.deleteExpired(before, limit)
    await tx.proofs.deleteExpired(before, limit)
    await tx.signUps.deleteExpired(before, limit)
    await tx.links.deleteExpiredSnapshots(before, limit)
    await tx.webhooks.deleteOrphans()
    await tx.connections.deleteOrphans()
    await tx.secondFactors.deleteOrphans(before)
  })
  await dropOldSigningKeys({ storage, keyring, clock }, accessTokenSeconds)
}
