// The guides to linking: what stands in their blocks is what runs here.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize, currentUserSignIn, redeem, signIn } from '../support/actors.ts'
import { startServer } from '../support/server.ts'
import { CALLBACK } from '../support/tenant.ts'
import { blocksIn, blockWith, programsIn } from './document.ts'

const WAYS = 'docs/guide/three-ways-to-link.md'
const CLIENT = 'docs/guide/client-initiated-linking.md'
const settings = JSON.parse(blockWith(blocksIn(WAYS, 'json'), '"policy"')).settings as { linking: { policy: string } }
const server = await startServer({ settings })

interface Ways {
  linkWith(
    issuer: string,
    first: { sub: string; accessToken: string },
    idToken: string,
  ): Promise<readonly { connection: string }[]>
}
interface ClientInitiated {
  linkRequest(
    app: { issuer: string; clientId: string; redirectUri: string },
    idToken: string,
    connection: string,
  ): { url: string; state: string; verifier: string }
  linkAnswer(cameBackTo: URL, state: string): { kind: 'code'; code: string } | { kind: 'refused'; why: string }
}

test("the guide's settings page links a second sign-in", async (t) => {
  const { linkWith } = await programsIn<Ways>(t, WAYS)
  server.person('first', ['calendar'])
  const first = await currentUserSignIn(server, { connection: 'calendar' })
  server.person('second', ['files'])
  const { idToken } = await signIn(server, { client: 'spa', connection: 'files' })
  const identities = await linkWith(server.issuer, first, idToken)
  assert.deepEqual(
    identities.map(({ connection }) => connection),
    ['calendar', 'files'],
  )
})

test("with the guide's policy somebody who has the address of another is asked", async () => {
  const { email } = server.person('asked', ['calendar'])
  await signIn(server, { connection: 'calendar' })
  server.person('asked-again', ['work'], { email })
  const { page } = await authorize((await signIn(server, { user: server.tenant.ada })).browser.clone(), server, {
    client: 'agent-a',
    connection: 'work',
    extra: { prompt: 'login' },
    answers: { 'link-suggest': false, 'link-choose': false, 'link-conflict': false },
  })
  assert.match(page.name ?? '', /^link-(?:suggest|choose|conflict)$/)
})

for (const [answer, kind] of [
  ['confirm', 'code'],
  ['cancel', 'refused'],
] as const) {
  test(`the guide's app asks for a second account, and hears ${kind}`, async (t) => {
    const { linkRequest, linkAnswer } = await programsIn<ClientInitiated>(t, CLIENT)
    server.person(`client-${kind}`, ['calendar', 'files'])
    const { browser, idToken, sub } = await signIn(server, { connection: 'calendar' })
    const app = { issuer: server.issuer, clientId: 'web', redirectUri: CALLBACK }
    const asked = linkRequest(app, idToken, 'files')
    await browser.open(asked.url)
    assert.equal(browser.page.name, 'link-confirm')
    const { url } = await browser.submit('link-confirm', { action: answer })
    const heard = linkAnswer(new URL(url), asked.state)
    assert.equal(heard.kind, kind)
    if (heard.kind !== 'code') return
    const params = new URL(url).searchParams
    const { json } = await redeem(server, { params, redirectUri: CALLBACK, verifier: asked.verifier, client: 'web' })
    assert.equal(JSON.parse(Buffer.from(json.id_token.split('.')[1], 'base64url').toString()).sub, sub)
  })
}
