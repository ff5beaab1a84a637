// What `tenon doctor` says of SAML connections.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openKeyring } from '../../src/crypto/keyring.ts'
import { openStorage } from '../../src/storage/open.ts'
import { makeSigner } from '../support/saml-certificates.ts'
import { metadataOf } from '../support/saml-idp.ts'
import { runTenon, scratch } from './run.ts'

test('doctor: says of a SAML connection who we are there, and when its certificate ends, ended, or is missing', async () => {
  const dataDir = scratch()
  mkdirSync(dataDir, { mode: 0o700 })
  const run = (...args: string[]) => runTenon(args, { TENON_DATA_DIR: dataDir, TENON_ISSUER: 'https://id.acme.test/' })
  assert.equal((await run('migrate')).code, 0)
  openKeyring({ source: `file:${join(dataDir, 'vault.key')}`, create: true, pollMs: 0 }).close()
  assert.equal((await run('keys', 'rotate', '--signing')).code, 0)
  const [good, soon, over, short] = await Promise.all([
    makeSigner('Corp', { days: 90 }),
    makeSigner('Corp', { days: 10 }),
    makeSigner('Corp', { days: -1 }),
    makeSigner('Corp', { bits: 1024 }),
  ])
  const place = { signInEndpoint: 'https://corp.test/sso', entityId: 'https://corp.test/' }
  const connections: Readonly<Record<string, Record<string, string>>> = {
    good: { ...place, signingCert: good.certificate },
    pasted: { metadataXml: metadataOf({ ...place, certificates: [good.certificate] }) },
    soon: { ...place, signingCert: soon.certificate },
    over: { ...place, signingCert: over.certificate },
    short: { ...place, signingCert: short.certificate },
    text: { ...place, signingCert: 'no certificate' },
    empty: {},
    changing: { ...place, signingCert: good.certificate, user_id_attribute: 'mail' },
    foreign: {
      entityId: 'https://else.test/',
      metadataXml: metadataOf({ ...place, certificates: [good.certificate] }),
    },
  }
  const storage = await openStorage({ url: `sqlite:${join(dataDir, 'tenon.db')}` })
  await storage.transaction(async (tx) => {
    for (const [name, options] of Object.entries(connections)) {
      const document = { name, strategy: 'samlp', options }
      const row = { id: `con_${name}`, name, strategy: 'samlp', document, secretEnvelope: undefined }
      await tx.connections.insert({ ...row, createdAt: 0, updatedAt: 0 })
    }
  })
  await storage.close()
  const { stdout, code } = await run('doctor')
  assert.equal(code, 1)
  for (const line of [
    /ok {4}good .*corp\.test, certificate until \d{4}-\d\d-\d\d; we are https:\/\/id\.acme\.test\/samlp\/metadata\?connection=good/,
    /ok {4}pasted /,
    /warn {2}soon .*\n.*→ add the next certificate/,
    /fail {2}over .*expired/,
    /fail {2}short .*2048 bits/,
    /fail {2}text .*cannot be read/,
    /fail {2}empty .*signInEndpoint is missing/,
    /fail {2}changing .*user_id_attribute names something changeable/,
    /fail {2}foreign .*metadata_invalid.*entityID/,
  ])
    assert.match(stdout, line)
})
