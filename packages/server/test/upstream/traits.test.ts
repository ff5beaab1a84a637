// What the rest of the server is told of a provider: how a token stands on a request, and whether it asks which account.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '../../src/domain/connection.ts'
import { createConnectors } from '../../src/upstream/connectors.ts'
import { createSafeFetch } from '../../src/upstream/safe-fetch.ts'

const connectors = createConnectors({ fetch: createSafeFetch({ allowedPrivateNetworks: [] }), clock: () => 0 })

function traitsOf(strategy: string, options: Connection['options'] = {}) {
  return connectors.for({
    id: `con_${strategy}`,
    name: strategy,
    strategy,
    displayName: undefined,
    options: { client_id: 'ours', client_secret: 'a secret', ...options },
    authenticationActive: false,
    connectedAccountsActive: true,
  }).traits
}

test('a token stands on a request as its provider wants it', () => {
  const headerOf = (...of: Parameters<typeof traitsOf>) => {
    const { name, prefix } = traitsOf(...of).apiHeader
    return `${name}: ${prefix}`
  }
  assert.equal(headerOf('github'), 'authorization: Bearer ')
  assert.equal(headerOf('shopify', { domain: 'acme.myshopify.com' }), 'x-shopify-access-token: ')
  assert.equal(headerOf('monday'), 'authorization: ')
  assert.equal(headerOf('zoho'), 'authorization: Zoho-oauthtoken ')
  assert.equal(headerOf('api-key'), 'authorization: Bearer ')
  assert.equal(headerOf('api-key', { scheme: '' }), 'authorization: ')
  assert.equal(headerOf('api-key', { header: 'X-Api-Key' }), 'x-api-key: ')
  assert.equal(headerOf('api-key', { header: 'X-Auth', scheme: 'Key' }), 'x-auth: Key ')
  assert.equal(headerOf('basic', { header: 'ignored' }), 'authorization: Basic ')
})

test('a provider that cannot be made to ask which account is meant says so', () => {
  assert.equal(traitsOf('google-oauth2').asksWhichAccount, true)
  assert.equal(traitsOf('notion').asksWhichAccount, false)
})
