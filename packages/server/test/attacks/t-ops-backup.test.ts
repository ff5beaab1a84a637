// A backup of yesterday is restored today (attack catalogue, T-OPS-06).
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startOAuth2Provider, startOidcProvider } from '@tenon/sdk/testing'
import {
  authorize,
  connect,
  exchange,
  expectStatus,
  me,
  meToken,
  redeem,
  signIn,
  startConnect,
} from '../support/actors.ts'
import { succeed, tenonAt, wipe } from '../support/backups.ts'
import { DATABASES, startDeployment } from '../support/deployment.ts'
import { eventually, request } from '../support/http.ts'
import { openDoors } from '../support/state.ts'

const users = { ada: { email: 'ada.upstream@example.test', email_verified: true } }
const connectionOptions = { trust_email: true }
const calendar = await startOidcProvider({
  name: 'calendar',
  refresh: 'always',
  rotation: 'rotating',
  users,
  connectionOptions,
})
const files = await startOAuth2Provider({ name: 'files', refresh: 'always', rotation: 'rotating', users })
const providers = [calendar, files]
after(() => Promise.all(providers.map((provider) => provider.stop())))
const refreshes = () => providers.map((provider) => provider.calls('refresh').length)

for (const database of DATABASES)
  test(`T-OPS-06 ${database}: a restored backup brings back no session, code, token or ticket, and no token untried`, async (t) => {
    const deployment = await startDeployment({ database, providers })
    t.after(() => deployment.close())
    const who = await signIn(deployment, { connection: 'calendar' })
    const token = await meToken(deployment, who)
    const account = await connect(who.browser, deployment, { token, connection: 'files' })
    const kept = await connect(who.browser, deployment, { token, connection: 'calendar' })
    const unredeemed = await authorize(who.browser, deployment)
    const ticket = await startConnect(deployment, { token, connection: 'files' })
    const use = (connection: string, subjectToken: string) => exchange(deployment, { connection, subjectToken })
    const before = expectStatus(await use('files', who.refreshToken), 200).json.access_token

    const file = join(deployment.dataDir, 'yesterday.backup')
    await succeed(tenonAt(deployment, 'backup', file))
    // What happens between the backup and its return.
    expectStatus(await me(deployment, token).delete(`/connected-accounts/accounts/${account.id}`), 204)
    await eventually('the provider hears of it', () => !files.isLive(before))
    await deployment.stop()
    await wipe(deployment)
    await succeed(tenonAt(deployment, 'restore', file))
    await deployment.start()

    assert.deepEqual(await openDoors(deployment, who, { connection: 'calendar', meToken: token }), [])
    assert.equal((await redeem(deployment, unredeemed)).status, 403)
    assert.equal((await who.browser.clone().open(ticket.url)).name, 'error')
    assert.equal((await request(`${deployment.url}/api/v2/users/x`)).status, 401)

    const again = await signIn(deployment, { connection: 'calendar' })
    assert.equal(again.sub, who.sub)
    const [calendarBefore = 0, filesBefore = 0] = refreshes()
    const gone = await use('files', again.refreshToken)
    assert.equal(gone.status, 401)
    assert.equal(gone.json.tenon.code, 'reconnect_required')
    assert.equal((await use('files', again.refreshToken)).status, 401)
    // Asked at the same time, and again later, the provider is asked once.
    const hint = { fields: { login_hint: kept.id } }
    const served = await Promise.all(
      [1, 2, 3].map(() => exchange(deployment, { connection: 'calendar', subjectToken: again.refreshToken, ...hint })),
    )
    for (const answer of served) assert.ok(calendar.isLive(expectStatus(answer, 200).json.access_token))
    expectStatus(await exchange(deployment, { connection: 'calendar', subjectToken: again.refreshToken, ...hint }), 200)
    assert.deepEqual(refreshes(), [calendarBefore + 1, filesBefore + 1])
  })
