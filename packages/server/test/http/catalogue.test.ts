// Twelve providers of the catalogue, each played by the kit in its own ways, through everything that an account goes through.
// What passed is written to the file that TENON_PROVIDER_RUNS names, for docs/reference/providers.md.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { type Provider, startGithubProvider, startVendorProvider, type VendorName } from '@tenon/sdk/testing'
import {
  type AuthorizeOptions,
  connect,
  exchange,
  expectStatus,
  me,
  meToken,
  type SignedIn,
  signIn,
} from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/http.ts'
import { query } from '../support/rows.ts'
import { startServer } from '../support/server.ts'
import { eventsOf } from '../support/state.ts'
import { passTime } from '../support/time.ts'

const HOUR = 3600

interface Case {
  readonly strategy: string
  /** Asked for first; then also `more`. Empty: the provider has no scopes. */
  readonly scopes: readonly string[]
  readonly more: string
  readonly rotates: boolean
  /** What is left at the provider when an account was disconnected. */
  readonly revokes: 'all' | 'refresh_token' | 'nothing'
  readonly subject: RegExp
  readonly extras?: Readonly<Record<string, unknown>>
}

const CASES = {
  google: {
    strategy: 'google-oauth2',
    scopes: ['openid', 'email'],
    more: 'https://www.googleapis.com/auth/drive.readonly',
    rotates: false,
    revokes: 'all',
    subject: /^\d+$/,
  },
  github: {
    strategy: 'github',
    scopes: ['read:user'],
    more: 'repo',
    rotates: true,
    revokes: 'all',
    subject: /^\d+$/,
  },
  microsoft: {
    strategy: 'windowslive',
    scopes: ['openid', 'User.Read'],
    more: 'Mail.Read',
    rotates: true,
    revokes: 'nothing',
    subject: /^[\da-f-]{36}:[\da-f-]{36}$/,
  },
  slack: {
    strategy: 'slack',
    scopes: ['users:read'],
    more: 'chat:write',
    rotates: true,
    revokes: 'all',
    subject: /^T0ACME:u-\d+$/,
    extras: { team_id: 'T0ACME', team_name: 'Acme', app_id: 'A0APP' },
  },
  notion: {
    strategy: 'notion',
    scopes: [],
    more: '',
    rotates: true,
    revokes: 'all',
    subject: /^ws-acme:u-\d+$/,
  },
  linear: {
    strategy: 'linear',
    scopes: ['read'],
    more: 'write',
    rotates: true,
    revokes: 'all',
    subject: /^u-\d+$/,
    extras: { organization_id: 'org-acme' },
  },
  atlassian: {
    strategy: 'atlassian',
    scopes: ['read:me'],
    more: 'read:jira-work',
    rotates: true,
    revokes: 'nothing',
    subject: /^u-\d+$/,
    extras: {
      cloud_ids: ['site-1', 'site-2'],
      site_urls: ['https://acme.atlassian.net', 'https://labs.atlassian.net'],
    },
  },
  salesforce: {
    strategy: 'salesforce',
    scopes: ['id'],
    more: 'api',
    rotates: false,
    revokes: 'all',
    subject: /^00D000000000001EAA:u-\d+$/,
  },
  dropbox: {
    strategy: 'dropbox',
    scopes: ['account_info.read'],
    more: 'files.content.read',
    rotates: false,
    revokes: 'all',
    subject: /^dbid:u-\d+$/,
  },
  hubspot: {
    strategy: 'hubspot',
    scopes: ['oauth'],
    more: 'crm.objects.contacts.read',
    rotates: false,
    revokes: 'refresh_token',
    subject: /^62515:\d+$/,
    extras: { hub_id: 62515, hub_domain: 'acme.example' },
  },
  discord: {
    strategy: 'discord',
    scopes: ['identify'],
    more: 'guilds',
    rotates: true,
    revokes: 'all',
    subject: /^\d{18}$/,
  },
  gitlab: {
    strategy: 'gitlab',
    scopes: ['openid', 'read_user'],
    more: 'api',
    rotates: true,
    revokes: 'all',
    subject: /^\d+$/,
  },
} as const satisfies Record<Exclude<VendorName, 'apple'> | 'github', Case>

type Name = keyof typeof CASES
// Cast: the names are the keys of the very object.
const NAMES = Object.keys(CASES) as Name[]

const providers = Object.fromEntries(
  await Promise.all(NAMES.map(async (name) => [name, await start(name)] as const)),
) as Readonly<Record<Name, Provider>>
const server = await startServer({ providers })
const { ada } = server.tenant

function start(name: Name): Promise<Provider> {
  const users = {
    ada: { email: `ada@${name}.test`, login: 'ada' },
    sam: { email: `sam@${name}.test`, login: 'sam' },
  }
  const options = { name, users, accessTokenSeconds: HOUR }
  return name === 'github' ? startGithubProvider({ ...options, expiring: true }) : startVendorProvider(name, options)
}

/** What passed, by strategy: the columns of the table in the documentation. */
const passed: Record<string, string[]> = {}
after(() => {
  const { TENON_PROVIDER_RUNS: file } = process.env
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(passed, undefined, 2)}\n`)
})

let adaIn: Promise<SignedIn> | undefined
const comesIn = () => {
  adaIn ??= signIn(server, { user: ada })
  return adaIn
}

for (const name of NAMES) {
  const one: Case = CASES[name]
  test(`${one.strategy}: sign-in, connecting, exchange, refresh, revocation and connecting again, in its own ways`, async (t) => {
    const provider = providers[name]
    const done: string[] = []
    passed[one.strategy] = done
    const step = async (title: string, columns: readonly string[], work: () => Promise<void>) => {
      await t.test(title, async () => {
        await work()
        done.push(...columns.filter((column) => column !== ''))
      })
    }
    const who = await comesIn()
    const connectWith = async (scopes: readonly string[]) => {
      const token = await meToken(server, who)
      const how: AuthorizeOptions = { user: ada }
      const wanted = scopes.length === 0 ? {} : { scopes }
      return connect(who.browser, server, { token, connection: name, ...wanted, ...how })
    }
    const ask = (scope?: string) =>
      exchange(server, {
        connection: name,
        subjectToken: who.refreshToken,
        ...(scope === undefined ? {} : { scope }),
      })
    const token = async (): Promise<string> => expectStatus(await ask(), 200).json.access_token
    let id = ''

    await step('a person signs in by it', ['sign_in'], async () => {
      provider.switchUser('sam')
      const { sub } = await signIn(server, { connection: name, browser: new Browser() })
      const [strategy, ...rest] = sub.split('|')
      assert.equal(strategy, one.strategy)
      assert.match(rest.join('|'), one.subject)
      // Again: it is the same person.
      assert.equal((await signIn(server, { connection: name, browser: new Browser() })).sub, sub)
      provider.switchUser('ada')
    })

    await step('an account is connected, and its token given out', ['connect'], async () => {
      const account = await connectWith(one.scopes)
      id = account.id
      assert.ok(provider.isLive(await token()))
      if (one.extras !== undefined) assert.deepEqual(await extrasOf(who, id), one.extras)
    })

    if (one.scopes.length > 0)
      await step('more scopes are asked with those that are there, and less is noticed', ['scopes'], async () => {
        assert.equal((await ask(one.more)).json.tenon.code, 'scope_missing')
        const since = provider.log.length
        assert.equal((await connectWith([one.more])).id, id)
        const [asked] = provider.calls('authorize', { since })
        const named = `${asked?.query.scope ?? ''} ${asked?.query.user_scope ?? ''}`
        for (const scope of [...one.scopes, one.more]) assert.ok(named.includes(scope), `${scope} in ${named}`)
        for (const scope of [one.more, one.scopes[0]]) expectStatus(await ask(scope), 200)
        provider.grantOnly = [...one.scopes, 'offline_access', 'refresh_token']
        await connectWith([one.more])
        provider.grantOnly = undefined
        assert.equal((await ask(one.more)).json.tenon.code, 'scope_missing')
        const reduced = (await eventsOf(server, 'vault.scopes_reduced')).filter((event) => event.accountId === id)
        assert.equal(reduced.length, 1)
      })

    await step(
      'a stale token is refreshed once, and the new refresh token is the one that counts',
      ['refresh', one.rotates ? 'rotate' : ''],
      async () => {
        for (const turn of [1, 2]) {
          const before = await token()
          const since = provider.log.length
          passTime(HOUR + 1)
          const both = await Promise.all([token(), token()])
          assert.equal(both[0], both[1], `turn ${turn}`)
          assert.notEqual(both[0], before)
          assert.ok(provider.isLive(both[0]))
          assert.equal(provider.calls('refresh', { since }).length, 1)
        }
        assert.equal(provider.reuses, 0)
        const sent = new Set(provider.calls('refresh').map(({ body }) => body.refresh_token))
        assert.equal(sent.size > 1, one.rotates)
      },
    )

    await step(
      'what the person ended at the provider has to be connected again, and then works',
      ['quirks'],
      async () => {
        provider.revokeUser('ada')
        passTime(HOUR + 1)
        const answer = await ask()
        assert.deepEqual([answer.status, answer.json.tenon?.code], [401, 'reconnect_required'], answer.text)
        assert.equal((await connectWith(one.scopes)).id, id)
        assert.ok(provider.isLive(await token()))
      },
    )

    await step(
      'a disconnected account is ended there as far as the provider lets us',
      [one.revokes === 'nothing' ? '' : 'revoke'],
      async () => {
        const last = await token()
        expectStatus(await me(server, await meToken(server, who)).delete(`/connected-accounts/accounts/${id}`), 204)
        assert.equal((await ask()).json.tenon.code, 'not_connected')
        if (one.revokes === 'nothing') {
          await eventually('word that there is no way', async () => {
            const words = (await eventsOf(server, 'vault.token_revoked')).filter((event) => event.accountId === id)
            return words.filter(({ data }) => data?.result === 'unsupported').length >= 2
          })
          assert.deepEqual(provider.calls('revoke'), [])
        } else if (one.revokes === 'refresh_token') {
          await eventually('the end of the refresh token', () => !provider.hasLiveRefreshToken('ada'))
        } else {
          await eventually('the end of the access token', () => !provider.isLive(last))
        }
        const again = await connectWith(one.scopes)
        assert.notEqual(again.id, id)
        assert.ok(provider.isLive(await token()))
      },
    )
  })
}

async function extrasOf(who: SignedIn, id: string): Promise<unknown> {
  const { json } = await me(server, await meToken(server, who)).get('/capabilities')
  const accounts = json.connections.flatMap(({ accounts: list }: { accounts: readonly { id: string }[] }) => list)
  return accounts.find((account: { id: string }) => account.id === id)?.extras
}

test('the documentation tells of this run', () => {
  const told = readFileSync(new URL('../../../../docs/reference/provider-runs.json', import.meta.url), 'utf8')
  assert.deepEqual(passed, JSON.parse(told), 'run it with TENON_PROVIDER_RUNS=docs/reference/provider-runs.json')
})

test('no token of any of them lies in what is kept beside the tokens', async () => {
  const rows = await query(server.databaseUrl, 'select extras, label from accounts', [])
  const text = JSON.stringify(rows)
  for (const provider of Object.values(providers)) {
    for (const secret of provider.secrets) assert.ok(!text.includes(secret))
  }
})
