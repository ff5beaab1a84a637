import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TokenSet } from '../../src/domain/tokenset.ts'
import { OpenedTokensets } from '../../src/vault/opened-tokensets.ts'
import { bytes, sampleAccount } from '../storage/samples.ts'

const tokenset: TokenSet = {
  accessToken: 'provider-token',
  refreshToken: undefined,
  tokenType: 'Bearer',
  accessExpiresAt: undefined,
  refreshExpiresAt: undefined,
  scopes: [],
}

test('an opened tokenset is known again for the very same row, and for no other', () => {
  const opened = new OpenedTokensets(() => 1000)
  const account = sampleAccount({ userId: 'acme|ada' })
  assert.equal(opened.find(account), undefined)
  opened.keep(account, tokenset)
  assert.equal(opened.find({ ...account, envelope: Uint8Array.from(account.envelope) }), tokenset)
  const others = [
    { id: 'cac_other' },
    { userId: 'acme|eve' },
    { generation: account.generation + 1 },
    { envelope: bytes(0, 1, 2, 251) },
    { envelope: bytes() },
  ]
  for (const other of others) assert.equal(opened.find({ ...account, ...other }), undefined)
})

test('an opened tokenset is forgotten after moments, and with its user', () => {
  let now = 1000
  const opened = new OpenedTokensets(() => now)
  const account = sampleAccount({ userId: 'acme|ada' })
  opened.keep(account, tokenset)
  now += 4
  assert.equal(opened.find(account), tokenset)
  now += 1
  assert.equal(opened.find(account), undefined)
  opened.keep(account, tokenset)
  opened.forget('acme|eve')
  assert.equal(opened.find(account), tokenset)
  opened.forget('acme|ada')
  assert.equal(opened.find(account), undefined)
})
