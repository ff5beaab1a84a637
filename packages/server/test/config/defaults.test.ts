import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, parseClient } from '../../src/domain/client.ts'
import * as domain from '../../src/domain/connection.ts'
import { parseSettings } from '../../src/domain/settings.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { PASSWORD_CONNECTION } from '../../src/protocol/built-in.ts'
import { APP_TYPES, clientFields } from '../../src/protocol/client-document.ts'
import { withDefaults } from '../../src/protocol/fields.ts'
import { settingsDocument } from '../../src/protocol/settings-document.ts'

const client = (document: JsonObject): Client =>
  parseClient({ clientId: 'web', secretHash: undefined, document, updatedAt: 0 })

test('settings: the defaults that the schema documents are the ones in effect', () => {
  assert.deepEqual(parseSettings(withDefaults(settingsDocument, {})), parseSettings({}))
})

test('settings: the contract names these defaults', () => {
  const settings = parseSettings({})
  assert.deepEqual(settings.linking, {
    policy: 'suggest',
    metadata: 'keep_primary',
    reauthenticationSeconds: 600,
    undoDays: 30,
  })
  assert.deepEqual(settings.tokens, { accessTokenSeconds: 86_400, codeSeconds: 60, refreshRotationGraceSeconds: 10 })
  assert.equal(settings.vault.refreshTimeoutSeconds, 10)
  assert.equal(settings.vault.refreshMarginSeconds, 60)
  assert.equal(settings.vault.publicClientsWithDpop, false)
  assert.equal(settings.rateLimitsEnabled, true)
  assert.equal(settings.sessions.cookieSameSite, 'lax')
})

test("settings: sessions.* win over Auth0's lifetimes in hours", () => {
  const hours = { session_lifetime: 2, idle_session_lifetime: 0.5 }
  assert.equal(parseSettings(hours).sessions.absoluteSeconds, 7200)
  assert.equal(parseSettings(hours).sessions.idleSeconds, 1800)
  assert.equal(parseSettings({ ...hours, sessions: { idle_seconds: 5 } }).sessions.idleSeconds, 5)
})

test('clients: the defaults that the schema documents are the ones in effect, for every kind of application', () => {
  for (const app_type of APP_TYPES) {
    const document = { name: 'App', app_type }
    assert.deepEqual(client(withDefaults(clientFields, document)), client(document), app_type)
  }
})

test('clients: those that cannot keep a secret are public, and their refresh tokens rotate and end', () => {
  for (const app_type of ['spa', 'native']) {
    const { publicClient, refreshToken } = client({ app_type })
    assert.equal(publicClient, true)
    assert.deepEqual([refreshToken.rotating, refreshToken.lifetimeSeconds], [true, 31_557_600])
  }
  const { publicClient, refreshToken } = client({ app_type: 'regular_web' })
  assert.equal(publicClient, false)
  assert.deepEqual([refreshToken.rotating, refreshToken.lifetimeSeconds], [false, undefined])
})

test('clients: expiring refresh tokens end unless one of the two ends is called infinite', () => {
  const { refreshToken } = client({
    refresh_token: { expiration_type: 'expiring', infinite_idle_token_lifetime: true },
  })
  assert.equal(refreshToken.lifetimeSeconds, 31_557_600)
  assert.equal(refreshToken.idleLifetimeSeconds, undefined)
})

test('clients: third-party ones may not ask to link accounts unless it is said', () => {
  assert.equal(client({}).clientInitiatedLinking, true)
  assert.equal(client({ is_first_party: false }).clientInitiatedLinking, false)
  assert.equal(client({ is_first_party: false, linking: { client_initiated: true } }).clientInitiatedLinking, true)
  assert.equal(client({ linking: { client_initiated: false } }).clientInitiatedLinking, false)
})

test('the password connection has one name on both sides of the floor', () => {
  assert.equal(PASSWORD_CONNECTION, domain.PASSWORD_CONNECTION)
})
