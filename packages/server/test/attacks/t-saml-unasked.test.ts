// SAML: a response that nobody asked for signs nobody in, wherever it is allowed to begin something (attack catalogue,
// T-SAML-04, T-SAML-06).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectStatus, mgmt, signIn, silently } from '../support/actors.ts'
import { Browser, CALLBACKS } from '../support/browser.ts'
import { assertRefused, goToProvider, postAnswer, samlSignIn, startSamlWorld } from '../support/saml-world.ts'
import { changesNothing } from '../support/state.ts'

const tile = { idpinitiated: { enabled: true, client_id: 'web' } }
const world = await startSamlWorld(({ corp }) => [
  corp.connection('tile', tile),
  corp.connection('off', { idpinitiated: { enabled: false, client_id: 'web' } }),
  corp.connection('nowhere', { idpinitiated: { enabled: true, client_id: 'spa' } }),
  corp.connection('shared', { ...tile, shared_callback: true }),
])
const { server, corp } = world
const begin = `${CALLBACKS}begin?tenant=acme`
expectStatus(await (await mgmt(server)).patch('/clients/web', { initiate_login_uri: begin }), 200)
const acsOf = (connection: string): string => `${server.issuer}login/callback/${connection}`

/** What the provider posts of itself, its present user in it. */
const unasked = async (connection: string, id = '_nothing'): Promise<string> =>
  corp.respond({ id, acs: acsOf(connection), issuer: `${server.issuer}samlp/metadata?connection=${connection}` })

test('T-SAML-04 a response that nobody asked for is refused, unless the operator wants it to begin a sign-in', async () => {
  corp.addUser('presser')
  const from = `${corp.url}/tiles`
  await changesNothing(server, async () => {
    for (const connection of ['corp', 'off', 'nowhere', 'shared']) {
      for (const RelayState of [undefined, 'https://evil.test/']) {
        const SAMLResponse = await unasked(connection)
        const page = await new Browser().post(acsOf(connection), { SAMLResponse, RelayState }, { from })
        assertRefused(page, connection)
        assert.equal(page.error, 'transaction_invalid', connection)
      }
    }
  })
})

test('T-SAML-06 where it may begin a sign-in, it is not believed: neither attacker nor victim is signed in by it', async () => {
  corp.addUser('attacker')
  const victim = await signIn(server, { user: server.tenant.ada })
  await changesNothing(server, async () => {
    for (const SAMLResponse of [await unasked('tile'), await unasked('tile', ''), 'AAAA', '']) {
      for (const RelayState of [undefined, '', 'https://evil.test/']) {
        const browser = victim.browser.clone()
        const page = await browser.post(acsOf('tile'), { SAMLResponse, RelayState }, { from: 'https://evil.test/' })
        assert.ok(page.stopped, `${page.name} ${page.error}`)
        const led = new URL(page.url)
        assert.equal(`${led.origin}${led.pathname}`, `${CALLBACKS}begin`)
        assert.deepEqual(
          [...led.searchParams].sort(),
          [
            ['connection', 'tile'],
            ['iss', server.issuer],
            ['tenant', 'acme'],
          ],
          'the application’s own address, and what we are',
        )
        assert.equal(await silently(new Browser(), server), 'login_required')
      }
    }
  })
  assert.equal((await signIn(server, { browser: victim.browser })).sub, victim.sub)
})

test('T-SAML-06 what it begins is an ordinary sign-in, by a request of ours in that very browser', async () => {
  const { nameId } = corp.addUser('tiled')
  const browser = new Browser()
  await browser.post(acsOf('tile'), { SAMLResponse: await unasked('tile') }, { from: `${corp.url}/tiles` })
  assert.equal((await samlSignIn(world, 'tile', { browser })).sub, `samlp|tile|${nameId}`)
  // An answer to a question of ours that came too late, or twice, begins anew as well, and is not believed either.
  const there = await goToProvider(server, 'tile')
  const first = await postAnswer(there, there.fields)
  assert.ok(first.params.has('code'))
  const again = await postAnswer({ ...there, browser: new Browser() }, there.fields)
  assert.ok(again.url.startsWith(begin), again.url)
})
