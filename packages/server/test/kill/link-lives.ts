// People whose links are made and undone without pause, over HTTP, for as long as their server lives.
import assert from 'node:assert/strict'
import type { Provider } from '@tenon/sdk/testing'
import {
  type ApiCaller,
  connect,
  drive,
  exchange,
  expectStatus,
  meToken,
  type SignedIn,
  signIn,
  userPath,
} from '../support/actors.ts'
import type { Deployment } from '../support/deployment.ts'
import { query } from '../support/rows.ts'
import {
  type ActName,
  added,
  atFirst,
  EVENT_TYPES,
  type LinkState,
  merged,
  parted,
  removed,
  takenBack,
  unlinked,
} from './link-state.ts'

export interface Act {
  readonly name: ActName
  /** The one request that it is about. Throws when the answer is no success. */
  readonly send: () => Promise<unknown>
  readonly after: LinkState
}

export interface Life {
  readonly name: string
  state: LinkState
  /** Chooses what may be done now, and does what leads up to it. */
  next(): Promise<Act>
  /** Everything that the server shows of these people's links, and what it ought to show. */
  observe(): Promise<unknown>
  expected(state: LinkState): unknown
  /** Everybody signs in as who they are, and every token of theirs opens. */
  verify(): Promise<void>
}

export interface Stage {
  readonly deployment: Deployment
  readonly api: ApiCaller
  /** `home` and `work` sign in; at `notes` agents' accounts are connected. */
  readonly providers: Readonly<Record<'home' | 'work' | 'notes', Provider>>
}

const LATELY_MS = 300_000

const oneOf = <T>(choices: readonly T[]): T => choices[Math.floor(Math.random() * choices.length)] as T

/** Two users, each with an account for agents, joined and parted by the Management API. */
export async function startPair(stage: Stage, name: string): Promise<Life> {
  const { deployment, api, providers } = stage
  const one = await arrive(stage, 'home', `${name}-one`)
  const two = await arrive(stage, 'work', `${name}-two`)
  const accounts = {
    one: await connectNotes(stage, one, `${name}-one`),
    two: await connectNotes(stage, two, `${name}-two`),
  }
  const metadata = { of: name }
  expectStatus(await api.patch(userPath(two.sub), { user_metadata: metadata }), 200)
  const [provider, ...id] = two.sub.split('|')
  const named = { provider, user_id: id.join('|') }
  const identity = { home: one.sub.slice('oidc|'.length), work: named.user_id }

  const life: Life = {
    name,
    state: atFirst,
    async next() {
      const { state } = life
      if (!state.joined) {
        const link = () => api.post(`${userPath(one.sub)}/identities`, named)
        const merge = () => api.post('/links', { primary_user_id: one.sub, secondary_user_id: two.sub })
        return oneOf<Act>([
          { name: 'link', send: async () => expectStatus(await link(), 201), after: merged(state) },
          { name: 'merge', send: async () => expectStatus(await merge(), 201), after: merged(state) },
        ])
      }
      const linkId = await newestLink(api, one.sub)
      const undo = () => api.post(`/links/${linkId}/undo`, {})
      const unlink = () =>
        api.delete(`${userPath(one.sub)}/identities/${provider}/${encodeURIComponent(named.user_id)}`)
      return oneOf<Act>([
        { name: 'undo', send: async () => expectStatus(await undo(), 200), after: parted(state) },
        { name: 'unlink', send: async () => expectStatus(await unlink(), 200), after: unlinked(state) },
      ])
    },
    async observe() {
      const second = await api.get(userPath(two.sub))
      return {
        one: await shown(api, one.sub),
        two:
          second.status === 404
            ? (await api.get(`${userPath(two.sub)}/links`)).json.merged_into
            : await shown(api, two.sub),
        ...(await recorded(stage, [one.sub, two.sub])),
      }
    },
    expected({ joined, held, links, undone, events }) {
      const ofSecond = [accounts.two]
      return {
        one: {
          identities: joined ? [identity.home, identity.work] : [identity.home],
          metadata: {},
          accounts: [accounts.one, ...(held.accountIsSeconds ? [] : ofSecond)].sort(),
        },
        two: joined
          ? one.sub
          : {
              identities: [identity.work],
              metadata: held.hasMetadata ? metadata : {},
              accounts: held.accountIsSeconds ? ofSecond : [],
            },
        links,
        undone,
        events,
      }
    },
    async verify() {
      const { joined, held } = life.state
      const second = await arrive(stage, 'work', `${name}-two`)
      assert.equal(second.sub, joined ? one.sub : two.sub)
      // What the first one got at the beginning still serves: a primary keeps its tokens.
      await Promise.all([
        opens(deployment, one, providers.notes, accounts.one),
        opens(deployment, held.accountIsSeconds ? second : one, providers.notes, accounts.two),
        opens(deployment, second, providers.work),
      ])
    },
  }
  return life
}

/** One user, to whom an identity that nobody has is added on the account page, and from whom it is taken again. */
export async function startSolo(stage: Stage, name: string, extra: Provider): Promise<Life> {
  const { deployment, api } = stage
  let who = await arrive(stage, 'home', name)
  let signedInAtMs = performance.now()
  const { sub } = who
  extra.addUser(name, { email: `${name}@extra.test` })
  extra.switchUser(name)
  const identity = { home: sub.slice('oidc|'.length), extra: `${extra.name}|${extra.addUser(name).sub}` }
  const life: Life = {
    name,
    state: atFirst,
    async next() {
      const { state } = life
      const { browser } = who
      await browser.open(`${deployment.url}/account/connections`)
      if (!state.joined) {
        await browser.submit('link', { connection: extra.name })
        const form = browser.page.name
        assert.equal(form, 'link-confirm', browser.page.text)
        return { name: 'add', after: added(state), send: () => pressed(browser.submit(form, { action: 'confirm' })) }
      }
      const linkId = await newestLink(api, sub)
      const undo = () => api.post(`/links/${linkId}/undo`, {})
      return oneOf<Act>([
        { name: 'remove', send: () => pressed(browser.submit('unlink')), after: removed(state) },
        { name: 'undo', send: async () => expectStatus(await undo(), 200), after: takenBack(state) },
      ])
    },
    async observe() {
      return { one: await shown(api, sub), ...(await recorded(stage, [sub])) }
    },
    expected({ joined, links, undone, events }) {
      const identities = joined ? [identity.home, identity.extra] : [identity.home]
      return { one: { identities, metadata: {}, accounts: [] }, links, undone, events }
    },
    async verify() {
      // Whoever adds something must have signed in lately; and the answer that was lost held the session's new id.
      const { name: page } = await who.browser.open(`${deployment.url}/account/connections`)
      if (page !== 'account-connections' || performance.now() - signedInAtMs > LATELY_MS) {
        who = await arrive(stage, 'home', name)
        signedInAtMs = performance.now()
      }
      assert.equal(who.sub, sub)
      if (!life.state.joined) return
      assert.equal((await signIn(deployment, { connection: extra.name })).sub, sub)
      await opens(deployment, who, extra)
    },
  }
  return life
}

async function pressed(submitted: ReturnType<SignedIn['browser']['submit']>): Promise<void> {
  const { status, name, text } = await submitted
  assert.ok(status === 200 && name === 'account-connections', `${status} ${name}: ${text.slice(0, 300)}`)
}

/** Signs in as this person at one of the providers. */
function arrive({ deployment, providers }: Stage, at: 'home' | 'work', key: string): Promise<SignedIn> {
  providers[at].addUser(key, { email: `${key}@${at}.test` })
  providers[at].switchUser(key)
  return signIn(deployment, { connection: at })
}

async function connectNotes({ deployment, providers: { notes } }: Stage, who: SignedIn, key: string): Promise<string> {
  notes.addUser(key)
  notes.switchUser(key)
  const token = await meToken(deployment, who)
  const { id } = await connect(who.browser, deployment, { token, connection: notes.name })
  await drive(who.browser)
  return id
}

async function opens(deployment: Deployment, who: SignedIn, provider: Provider, account?: string): Promise<void> {
  const hint = account === undefined ? {} : { loginHint: account }
  const asked = { client: who.client, connection: provider.name, subjectToken: who.refreshToken, ...hint }
  const { json } = expectStatus(await exchange(deployment, asked), 200)
  assert.ok(provider.isLive(json.access_token), 'a token that its provider takes')
}

async function newestLink(api: ApiCaller, userId: string): Promise<string> {
  const { json } = expectStatus(await api.get(`${userPath(userId)}/links`), 200)
  return json.links[0].id
}

async function shown(api: ApiCaller, userId: string) {
  const { json: user } = expectStatus(await api.get(userPath(userId)), 200)
  const { json } = expectStatus(await api.get(`${userPath(userId)}/connected-accounts`), 200)
  return {
    identities: user.identities.map(({ user_id: id }: { user_id: string }) => id),
    metadata: user.user_metadata ?? {},
    accounts: json.connected_accounts.map(({ id }: { id: string }) => id).sort(),
  }
}

/** What is written of their links, past the server. */
async function recorded({ deployment: { databaseUrl } }: Stage, [one = '', two = one]: readonly string[]) {
  const [links] = await query(
    databaseUrl,
    'select count(*) as made, count(undone_at) as undone from links where primary_user_id in ($1, $2)',
    [one, two],
  )
  const events = await query(
    databaseUrl,
    'select type, count(*) as count from events where user_id in ($1, $2) group by type order by type',
    [one, two],
  )
  const counts = events.map(({ type, count }) => [String(type), Number(count)] as const)
  const ofLinks = counts.filter(([type]) => (EVENT_TYPES as readonly string[]).includes(type))
  return { links: Number(links?.made), undone: Number(links?.undone), events: Object.fromEntries(ofLinks) }
}
