// Providers that serve many organisations: who comes from which one, and what no other may say.
import assert from 'node:assert/strict'
import test, { after } from 'node:test'
import { type ProviderOptions, startOidcProvider, startVendorProvider, type VendorName } from '@tenon/sdk/testing'
import { UpstreamRefused } from '../../src/upstream/errors.ts'
import { connectorOf, signIn } from './app.ts'

const TENANT = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
const OTHER = '11111111-2222-4333-8444-555555555555'
const OBJECT = 'aaaaaaaa-0000-4000-8000-000000000001'

async function start(vendor: VendorName, options: ProviderOptions = {}) {
  const provider = await startVendorProvider(vendor, { users: { Ada: {} }, ...options })
  after(() => provider.stop())
  return provider
}

const refused = (code: string, detail?: string) => (error: unknown) =>
  error instanceof UpstreamRefused && error.code === code && (detail === undefined || error.detail === detail)

test('T-PRE-08: Entra ID, every tenant: who it is, is tenant and object, and no address is believed', async () => {
  const provider = await start('microsoft')
  provider.updateUser('Ada', {
    email: 'ceo@victim.test',
    extraClaims: { tid: TENANT, oid: OBJECT, email_verified: true, xms_edov: true },
  })
  const connector = connectorOf(provider)
  const account = await signIn(connector)
  assert.equal(account.subject, `${TENANT}:${OBJECT}`)
  assert.deepEqual([account.email, account.emailVerified], ['ceo@victim.test', false])
  // The same object id in another tenant is another person.
  provider.updateUser('Ada', { extraClaims: { tid: OTHER, oid: OBJECT } })
  assert.equal((await signIn(connector)).subject, `${OTHER}:${OBJECT}`)
})

test('T-RP-01: Entra ID: issuer and tenant of an ID token must agree', async () => {
  const provider = await start('microsoft')
  const connector = connectorOf(provider)
  const lies = [
    { iss: `${provider.url}/${OTHER}/v2.0`, tid: TENANT },
    { iss: `${provider.url}/{tid}/v2.0` },
    { iss: provider.url },
    { tid: undefined },
    { tid: '../x' },
    { tid: [TENANT] },
  ]
  for (const lie of lies) {
    provider.tamperIdToken = (claims) => ({ ...claims, ...lie })
    await assert.rejects(signIn(connector), refused('id_token_invalid'), JSON.stringify(lie))
  }
})

test('T-RP-05: Entra ID: a refresh about somebody else, or from another tenant, is refused', async () => {
  const provider = await start('microsoft')
  const connector = connectorOf(provider)
  const { subject, tokenset } = await signIn(connector, { wantsRefreshToken: true })
  const { refreshToken = '' } = tokenset
  assert.equal((await connector.refresh({ refreshToken, subject })).kind, 'refreshed')
  for (const lie of [{ oid: OBJECT }, { tid: OTHER }, { iss: `${provider.url}/${OTHER}/v2.0`, tid: OTHER }]) {
    provider.tamperIdToken = (claims) => ({ ...claims, ...lie })
    const again = connector.refresh({ refreshToken, subject })
    await assert.rejects(again, refused('subject_changed'), JSON.stringify(lie))
  }
})

test('Entra ID, one tenant: people of another are refused', async () => {
  const provider = await start('microsoft')
  const { options } = provider.connection()
  const endpoints = { ...(options.endpoints as object), issuer: `${provider.url}/${TENANT}/v2.0` }
  const connector = connectorOf(provider, { endpoints })
  provider.updateUser('Ada', { extraClaims: { tid: TENANT, oid: OBJECT } })
  assert.equal((await signIn(connector)).subject, `${TENANT}:${OBJECT}`)
  provider.updateUser('Ada', { extraClaims: { tid: OTHER, oid: OBJECT } })
  await assert.rejects(signIn(connector), refused('id_token_invalid', 'iss'))
})

test('Google Workspace: the domain stands in the signed token, or nobody comes in', async () => {
  const provider = await startOidcProvider({ users: { Ada: { extraClaims: { hd: 'acme.test' } } } })
  after(() => provider.stop())
  const { clientId, clientSecret, issuer } = provider
  const options = { client_id: clientId, client_secret: clientSecret, endpoints: { issuer }, domain: 'acme.test' }
  const connector = connectorOf(provider, options, {}, { strategy: 'google-apps' })
  await signIn(connector)
  for (const hd of ['evil.test', 'ACME.TEST.evil', undefined, ['acme.test'], true]) {
    provider.updateUser('Ada', { extraClaims: { hd } })
    await assert.rejects(signIn(connector), refused('id_token_invalid', 'hd'), String(hd))
  }
})

test('a path before the realm, and a custom authorization server, are given by their issuer', async () => {
  const provider = await startOidcProvider({ users: { Ada: { sub: 'sub-1' } } })
  after(() => provider.stop())
  const { clientId, clientSecret, issuer } = provider
  const options = { client_id: clientId, client_secret: clientSecret, endpoints: { issuer } }
  for (const strategy of ['okta', 'keycloak', 'auth0-oidc', 'gitlab']) {
    const account = await signIn(connectorOf(provider, options, {}, { strategy }))
    assert.equal(account.subject, 'sub-1', strategy)
  }
})

test('one subject made of several keeps its parts apart', async () => {
  const provider = await start('salesforce')
  const connector = connectorOf(provider)
  provider.tamperUserInfo = (said) => ({ ...said, organization_id: 'a:b', user_id: 'c' })
  await assert.rejects(signIn(connector), refused('subject_invalid', 'colon'))
  provider.tamperUserInfo = (said) => ({ ...said, organization_id: 'a', user_id: 1 })
  await assert.rejects(signIn(connector), refused('subject_invalid', 'type'))
})
