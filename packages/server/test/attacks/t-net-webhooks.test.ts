// Webhooks (T-NET-07): whoever gets one can tell that it is ours, and of now; whoever sees one learns no secret.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { signedHeaders } from '../../src/events/webhook-signature.ts'
import { blocksIn, blockWith } from '../guide/document.ts'
import { exchange, expectStatus, signIn } from '../support/actors.ts'
import { Canaries } from '../support/canaries.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { passTime } from '../support/time.ts'
import { startReceiver } from '../support/webhook-receiver.ts'
import { databases } from './databases.ts'

type Verify = (headers: Headers, body: string, secret: string) => { readonly type: string }

/** The program of the documentation, as it stands there. */
async function verifyOfDocumentation(): Promise<Verify> {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-verify-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'verify.ts')
  writeFileSync(file, blockWith(blocksIn('docs/reference/webhooks.md', 'ts'), 'verifyWebhook'))
  return (await import(file)).verifyWebhook
}

const verify = await verifyOfDocumentation()
const PRESENT = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const PREVIOUS = 'a secret of words, taken byte by byte'

for (const database of databases)
  test(`T-NET-07 a webhook that was forged, changed, replayed or meant for another is told from ours (${database})`, async () => {
    const receiver = await startReceiver()
    const server = await startServer({
      database,
      settings: { webhooks: [{ url: receiver.url, secret: PRESENT, previous_secret: PREVIOUS }] },
    })
    const canaries = new Canaries()
    for (const [name, secret] of Object.entries(server.tenant.secrets)) canaries.add(name, secret)
    const person = server.person('told', ['code'])
    const who = await signIn(server, { client: 'web', connection: 'code' })
    const token = expectStatus(await exchange(server, { subjectToken: who.refreshToken, connection: 'code' }), 200).json
    canaries.add('signing secrets', PRESENT, PREVIOUS)
    canaries.add('address', person.email)
    canaries.add('tokens', who.refreshToken, who.accessToken, token.access_token)
    const told = await eventually('the exchange', () =>
      receiver.received.find(({ type }) => type === 'vault.exchanged'),
    )
    const { headers, body } = told
    assert.ok(receiver.received.some(({ type }) => type === 'user.created'))

    assert.equal(verify(headers, body, PRESENT).type, 'vault.exchanged')
    assert.equal(verify(headers, body, PREVIOUS).type, 'vault.exchanged', 'while it changes over')
    for (const one of receiver.received) verify(one.headers, one.body, PRESENT)
    const changed = (name: string, value: string) => {
      const copy = new Headers(headers)
      copy.set(name, value)
      return copy
    }
    const bad = { message: 'the signature does not fit' }
    assert.throws(() => verify(headers, body, 'the secret of another receiver'), bad)
    assert.throws(() => verify(headers, body.replace('"ok"', '"no"'), PRESENT), bad)
    assert.throws(() => verify(changed('webhook-id', 'evt_1_1'), body, PRESENT), bad)
    const later = String(Number(headers.get('webhook-timestamp')) + 1)
    assert.throws(() => verify(changed('webhook-timestamp', later), body, PRESENT), bad)
    assert.throws(() => verify(changed('webhook-signature', ''), body, PRESENT), bad)
    const others = receiver.received.find(({ type }) => type === 'user.created')?.headers ?? new Headers()
    assert.throws(() => verify(others, body, PRESENT), bad)
    assert.deepEqual(
      canaries.search(receiver.received.map((one) => ({ name: one.type, bytes: Buffer.from(one.body) }))),
      [],
    )
    assert.doesNotMatch(server.logs(), /whsec_|taken byte by byte/)

    passTime(301)
    assert.throws(() => verify(headers, body, PRESENT), { message: 'too old, or of the future' })
    await server.close()
  })

test('T-NET-07 signatures are those of Standard Webhooks', () => {
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', at: 1_614_265_330, body: '{"test": 2432232314}' }
  const headers = signedHeaders(message, ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'])
  assert.equal(headers['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})
