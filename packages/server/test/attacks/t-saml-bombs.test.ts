// SAML: what is sent to hurt the reader (attack catalogue, T-SAML-08), at a server in a process of its own, so that what
// is measured is its own memory and computing, and nothing of the test's.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, test } from 'node:test'
import { startOidcProvider } from '@tenon/sdk/testing'
import { freePort } from '../../../../tools/lib/free-port.ts'
import { startDeployment } from '../support/deployment.ts'
import { request } from '../support/http.ts'
import { hugeBombs, readBombs } from '../support/saml-bombs.ts'
import { startSamlIdp } from '../support/saml-idp.ts'
import { assertRefused, goToProvider, postAnswer } from '../support/saml-world.ts'

const MOST_SECONDS = 1
const MOST_GROWTH = 50 * 1024 * 1024

let calls = 0
const outside = createServer((_request, response) => {
  calls++
  response.end('SECRET')
})
const outsidePort = await freePort()
outside.listen(outsidePort, '127.0.0.1')
const [corp, calendar] = await Promise.all([startSamlIdp(), startOidcProvider({ name: 'calendar' })])
// Somebody in as many groups as an answer holds: what is honest and large is what a bomb is held against.
const groups = Array.from({ length: 800 }, (_, at) => `cn=group-${at},ou=${'x'.repeat(180)},dc=corp,dc=test`)
corp.addUser('reader', { attributes: { email: 'reader@corp.test', groups } })
const metricsPort = await freePort()
const server = await startDeployment({
  providers: [calendar],
  flags: ['--metrics-port', String(metricsPort)],
  tenant: ({ connections }) => {
    connections.push({ ...corp.connection('corp'), enabled_clients: ['web'] })
  },
})
after(async () => {
  outside.close()
  await server.close()
  await Promise.all([corp.stop(), calendar.stop()])
})

/** What the server's process has used so far: seconds of processor time, bytes of resident memory. */
async function used(): Promise<{ readonly seconds: number; readonly bytes: number }> {
  const { text } = await request(`http://127.0.0.1:${metricsPort}/metrics`)
  const number = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  return { seconds: number('process_cpu_seconds_total'), bytes: number('process_resident_memory_bytes') }
}

/** Posted in the place of the provider's answer, it is refused, in no time. */
async function send(what: string, xml: string): Promise<void> {
  const { fields, ...there } = await goToProvider(server, 'corp')
  const { seconds } = await used()
  assertRefused(await postAnswer(there, { ...fields, SAMLResponse: Buffer.from(xml).toString('base64') }), what)
  const computing = (await used()).seconds - seconds
  assert.ok(computing < MOST_SECONDS, `${what} took ${computing} s`)
}

test('T-SAML-08 bombs cost less than a second and 50 MB, and nobody is called', async () => {
  for (let round = 0; round < 10; round++) {
    const { fields, ...there } = await goToProvider(server, 'corp')
    assert.ok((await postAnswer(there, fields)).params.has('code'))
  }
  const before = await used()
  for (const [what, xml] of Object.entries(readBombs(`http://127.0.0.1:${outsidePort}/x.dtd`))) {
    await send(what, xml)
    const grown = (await used()).bytes - before.bytes
    assert.ok(grown < MOST_GROWTH, `${what}: ${grown} bytes more`)
  }
  assert.equal(calls, 0)
})

test('T-SAML-08 what is larger than any answer is refused unread, whether or not it says how long it is', async () => {
  const { fields, ...there } = await goToProvider(server, 'corp')
  const before = await used()
  for (const [what, xml] of Object.entries(hugeBombs())) {
    const { seconds } = await used()
    const body = new URLSearchParams({ ...fields, SAMLResponse: Buffer.from(xml).toString('base64') }).toString()
    for (const isLengthSaid of [true, false]) {
      assert.equal(await statusOf(there.acs, body, isLengthSaid), 413, what)
    }
    const now = await used()
    assert.ok(now.seconds - seconds < MOST_SECONDS, `${what} took ${now.seconds - seconds} s`)
    assert.ok(now.bytes - before.bytes < MOST_GROWTH, `${what}: ${now.bytes - before.bytes} bytes more`)
  }
})

async function statusOf(url: string, body: string, isLengthSaid: boolean): Promise<number> {
  const bytes = new TextEncoder().encode(body)
  const inPieces = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 65_536) controller.enqueue(bytes.subarray(at, at + 65_536))
      controller.close()
    },
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const sent = isLengthSaid ? { body: bytes } : { body: inPieces, duplex: 'half' as const }
  const answer = await fetch(url, { method: 'POST', headers, ...sent })
  await answer.body?.cancel()
  return answer.status
}
