// Where a connect may lead back to (T-CONN-10).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { meToken, signIn, startConnect } from '../support/actors.ts'
import { startServer } from '../support/server.ts'
import { changesNothing } from '../support/state.ts'
import { CALLBACK } from '../support/tenant.ts'

const server = await startServer()
const token = await meToken(server, await signIn(server, { user: server.tenant.ada }))

test('T-CONN-10 a redirect_uri that is not exactly a callback of the client is refused before any redirect', async () => {
  const tricks = [
    'https://evil.test/cb',
    `${CALLBACK}/`,
    `${CALLBACK}?x=1`,
    `${CALLBACK}#f`,
    CALLBACK.replace('http:', 'https:'),
    CALLBACK.replace('127.0.0.1', 'localhost'),
    CALLBACK.replace('127.0.0.1', '127.0.0.1@evil.test'),
    CALLBACK.replace('127.0.0.1:9', 'evil.test\\@127.0.0.1:9'),
    CALLBACK.replace('/cb', '/x/../cb'),
    CALLBACK.replace('/cb', '/CB'),
    CALLBACK.replace('/cb', '/%63b'),
    'javascript:alert(1)//http://127.0.0.1:9/cb',
    'data:text/html,x',
    'http://127.0.0.1:9/*',
    '//127.0.0.1:9/cb',
    `${CALLBACK}\u0000`,
    ` ${CALLBACK}`,
  ]
  await changesNothing(server, async () => {
    for (const redirectUri of tricks) {
      const { answer } = await startConnect(server, { token, connection: 'calendar', redirectUri })
      assert.equal(answer.status, 400, redirectUri)
      assert.equal(answer.headers.location, undefined)
    }
    for (const redirect_uri of [[CALLBACK], { 0: CALLBACK }, 7, null]) {
      const { answer } = await startConnect(server, {
        token,
        connection: 'calendar',
        fields: { redirect_uri },
      })
      assert.equal(answer.status, 400, JSON.stringify(redirect_uri))
    }
  })
})
