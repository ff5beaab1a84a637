// What only one may have, asked for by many at once and of two nodes, on both databases (T-CONN-01, T-CONN-03, T-LINK-12).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  authorize,
  completeConnect,
  currentUserSignIn,
  drive,
  expectStatus,
  me,
  meToken,
  mgmt,
  type SignedIn,
  signIn,
  startConnect,
  userPath,
} from '../support/actors.ts'
import { Browser, type Page } from '../support/browser.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { oneWinner } from '../support/state.ts'
import { databases } from './databases.ts'

const COPIES = 20

for (const database of databases) {
  describe(database, async () => {
    const server = await startServer({ database, nodes: 2 })
    const { calendar } = server.providers
    const ada = await signIn(server, { user: server.tenant.ada })
    const token = await meToken(server, ada)
    server.person('ada-upstream', ['calendar'])

    test('T-CONN-01 a ticket opened many times at once leads to the provider once', async () => {
      const flow = await startConnect(server, { token, connection: 'calendar' })
      const pages = await copies(server, ada, (browser, node) =>
        browser.open(at(node, flow.url), { stopAt: calendar.url }),
      )
      onePage(pages, ({ stopped }) => stopped)
    })

    test("T-CONN-03 a provider's answer brought many times at once is redeemed once", async () => {
      const flow = await startConnect(server, { token, connection: 'calendar' })
      const { url } = await ada.browser.open(flow.url, { stopAt: `${server.url}/login/callback` })
      const before = calendar.calls('token').length
      const pages = await copies(server, ada, (browser, node) => browser.open(at(node, url)))
      onePage(pages, ({ name }) => name === 'link-confirm')
      assert.equal(calendar.calls('token').length - before, 1)
    })

    test('T-CONN-01 a yes said many times at once gives one code', async () => {
      const flow = await startConnect(server, { token, connection: 'calendar' })
      await ada.browser.open(flow.url)
      const form = ada.browser.form('link-confirm', undefined, 'confirm')
      const fields = { ...Object.fromEntries(form.fields), action: 'confirm' }
      const target = new URL(form.action, ada.browser.page.url).href
      const pages = await copies(server, ada, (browser, node) => {
        const there = at(node, target)
        return browser.post(there, fields, { from: there })
      })
      onePage(pages, ({ stopped, params }) => stopped && params.has('connect_code'))
    })

    test('T-CONN-01 completing is won once, at whichever node', async () => {
      const flow = await startConnect(server, { token, connection: 'calendar' })
      await ada.browser.open(flow.url)
      const { params } = await drive(ada.browser)
      const answers = await Promise.all(
        Array.from({ length: COPIES }, (_, copy) => completeConnect(nodeOf(server, copy), flow, params)),
      )
      const won = oneWinner(answers)
      const { json } = await me(server, token).get('/connected-accounts/accounts')
      assert.equal(json.accounts.filter(({ id }: { id: string }) => id === won.json.id).length, 1)
    })

    test('T-LINK-12 of the last two ways in, taken away at once, one stays and signs in', async () => {
      const api = await mgmt(server)
      const [who, second, third] = [
        await newcomer(server, 'calendar'),
        await newcomer(server, 'code'),
        await newcomer(server, 'work'),
      ]
      for (const { sub } of [second, third])
        expectStatus(await api.post(`${userPath(who.sub)}/identities`, named(sub)), 201)
      await closeConnection(server, 'calendar')
      const ways = [second.sub, third.sub].map((sub) => {
        const { provider, user_id: id } = named(sub)
        return `${userPath(who.sub)}/identities/${provider}/${encodeURIComponent(id)}`
      })
      const answers = await Promise.all(
        Array.from({ length: COPIES }, async (_, copy) => {
          const url = nodeOf(server, copy >> 1).url
          return (await mgmt(server, { token: api.token, url })).delete(ways[copy % 2] ?? '')
        }),
      )
      const removed = answers.indexOf(oneWinner(answers)) % 2
      const back = await signIn(server, { connection: removed === 0 ? 'work' : 'code' })
      assert.equal(back.sub, who.sub)
      const { json } = await api.get(userPath(who.sub))
      assert.equal(json.identities.length, 2)
      assert.equal((await authorize(new Browser(), server, { connection: 'calendar' })).params.has('code'), false)
    })
  })
}

const nodeOf = (server: TestServer, copy: number) => ({ ...server, url: server.nodes[copy % 2] ?? '' })

const at = (node: string, url: string): string => {
  const { pathname, search } = new URL(url)
  return `${node}${pathname}${search}`
}

/** The same person's browser, many times at once, at both nodes. */
const copies = (
  server: TestServer,
  { browser }: Pick<SignedIn, 'browser'>,
  act: (browser: Browser, node: string) => Promise<Page>,
): Promise<readonly Page[]> =>
  Promise.all(Array.from({ length: COPIES }, (_, copy) => act(browser.clone(), nodeOf(server, copy).url)))

/** ONE-WINNER of pages: the others are error pages. */
function onePage(pages: readonly Page[], isWin: (page: Page) => boolean): void {
  const shown = pages.map(({ status, name, error, stopped }) => `${stopped ? 'away' : status} ${name} ${error ?? ''}`)
  assert.equal(pages.filter(isWin).length, 1, shown.join(', '))
  const others = pages.filter((page) => !isWin(page))
  assert.ok(
    others.every(({ name, status }) => name === 'error' && status >= 400 && status < 500),
    shown.join(', '),
  )
}

function newcomer(server: TestServer, connection: 'calendar' | 'code' | 'work'): Promise<SignedIn> {
  server.person('newcomer', [connection])
  return currentUserSignIn(server, { connection })
}

const named = (sub: string) => ({ provider: sub.slice(0, sub.indexOf('|')), user_id: sub.slice(sub.indexOf('|') + 1) })

/** Nobody signs in by it any more. */
async function closeConnection(server: TestServer, name: string): Promise<void> {
  const api = await mgmt(server)
  const { json } = expectStatus(await api.get(`/connections?name=${name}`), 200)
  const [{ id }] = json.connections ?? json
  expectStatus(await api.patch(`/connections/${id}`, { authentication: { active: false } }), 200)
}
