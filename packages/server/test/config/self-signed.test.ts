import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ensureSelfSigned } from '../../src/config/self-signed.ts'

const parent = mkdtempSync(join(tmpdir(), 'tenon-tls-'))
after(() => rmSync(parent, { recursive: true }))

let made = 0
async function make(hosts: readonly string[] = [], now?: Date, folder = join(parent, `tls-${++made}`)) {
  await ensureSelfSigned({ folder, hosts, ...(now ? { now } : {}) })
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  const again = (more: readonly string[] = hosts, later?: Date) => make(more, later, folder)
  const pem = { ca: read('ca.pem'), cert: read('server.pem'), key: read('server.key') }
  return { folder, again, ...pem, certificate: new X509Certificate(pem.cert), authority: new X509Certificate(pem.ca) }
}

const DAY_MS = 86_400_000

test('self-signed: the certificate serves loopback and the hosts asked for, signed by the CA', async () => {
  const { certificate, authority } = await make(['auth.example.test', '192.0.2.7', '[::1]', '0.0.0.0'])
  for (const host of ['localhost', 'auth.example.test']) assert.equal(certificate.checkHost(host), host)
  for (const ip of ['127.0.0.1', '::1', '192.0.2.7']) assert.ok(certificate.checkIP(ip), ip)
  assert.equal(certificate.checkIP('0.0.0.0'), undefined)
  assert.ok(certificate.verify(authority.publicKey))
  assert.ok(certificate.checkIssued(authority))
  assert.equal(certificate.ca, false)
  assert.equal(authority.ca, true)
})

test('self-signed: keys are for their owner alone, and the folder too', async () => {
  const { folder } = await make()
  const mode = (name: string) => statSync(join(folder, name)).mode & 0o777
  assert.deepEqual([mode('.'), mode('ca.key'), mode('server.key')], [0o700, 0o600, 0o600])
})

test('self-signed: nothing is made again while all fits', async () => {
  const first = await make(['auth.example.test'])
  const second = await first.again()
  assert.deepEqual([second.ca, second.cert, second.key], [first.ca, first.cert, first.key])
})

test('self-signed: another issuer gets another certificate from the same CA', async () => {
  const first = await make(['one.example.test'])
  const second = await first.again(['two.example.test'])
  assert.equal(second.ca, first.ca)
  assert.notEqual(second.cert, first.cert)
  assert.equal(second.certificate.checkHost('two.example.test'), 'two.example.test')
  assert.ok(second.certificate.verify(first.authority.publicKey))
})

test('self-signed: a certificate is renewed a month before its end, and the CA with its own end only', async () => {
  const first = await make()
  const days = (count: number) => new Date(Date.now() + count * DAY_MS)
  assert.equal((await first.again([], days(360))).cert, first.cert)
  const renewed = await first.again([], days(370))
  assert.notEqual(renewed.cert, first.cert)
  assert.equal(renewed.ca, first.ca)
  assert.notEqual((await first.again([], days(3640))).ca, first.ca)
})

test('self-signed: a damaged certificate is made again', async () => {
  const first = await make()
  writeFileSync(join(first.folder, 'server.pem'), 'nonsense')
  assert.ok((await first.again()).certificate.verify(first.authority.publicKey))
})

test('self-signed: ca.pem is all that a client needs to trust', async () => {
  const { ca, cert, key } = await make()
  const server = createServer({ cert, key }, (_request, response) => response.end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A listening TCP server has this kind of address.
  const { port } = server.address() as AddressInfo
  try {
    const status = await new Promise((resolve, reject) =>
      get({ host: '127.0.0.1', port, ca, agent: false }, (response) => resolve(response.resume().statusCode)).on(
        'error',
        reject,
      ),
    )
    assert.equal(status, 200)
  } finally {
    server.close()
  }
})
