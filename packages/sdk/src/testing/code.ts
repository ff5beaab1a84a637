/** The *Code* provider: GitHub-shaped, with an API for pull requests. */
import type { Caller } from './bearer.ts'
import { startGithubProvider } from './github.ts'
import { type Answer, type Json, jsonAnswer } from './http.ts'
import type { GithubOptions } from './options.ts'
import type { Provider } from './provider.ts'
import { type PullRequest, SAMPLE_PULL_REQUESTS, sampleUsers } from './samples.ts'
import type { Call } from './shape.ts'
import type { ProviderUser } from './users.ts'

export interface CodeProvider extends Provider {
  /** Change them as you like. */
  readonly pullRequests: PullRequest[]
  /** `GET` with `state=open|closed|all` and `review=requested` needs the scope `repo`. */
  readonly pullsUrl: string
}

const PATH = '/pulls'

/** Starts a GitHub-shaped provider with `GET /pulls`; unless told otherwise, its users are the sample people. */
export async function startCodeProvider(options: GithubOptions = {}): Promise<CodeProvider> {
  const name = options.name ?? 'code'
  const provider = await startGithubProvider({
    users: sampleUsers(`${name}.test`),
    scope: 'read:user user:email repo',
    ...options,
    name,
  })
  const pullRequests = [...SAMPLE_PULL_REQUESTS]
  const answer = (_provider: Provider, call: Call, caller: Caller) => listPulls(provider, pullRequests, call, caller)
  provider.addApi({ path: PATH, method: 'GET', scope: 'repo', answer })
  return Object.assign(provider, { pullRequests, pullsUrl: provider.url + PATH })
}

/** With `review=requested` those that wait for the caller, else those that the caller wrote. */
function listPulls(provider: Provider, all: readonly PullRequest[], call: Call, { user }: Caller): Answer {
  const state = call.url.searchParams.get('state') ?? 'open'
  const review = call.url.searchParams.get('review')
  if (!['open', 'closed', 'all'].includes(state) || (review !== null && review !== 'requested')) {
    return jsonAnswer(422, { message: 'Validation Failed' })
  }
  const found = all
    .filter((pull) => state === 'all' || pull.state === state)
    .filter((pull) => (review === 'requested' ? pull.reviewers.includes(user.key) : pull.author === user.key))
    .sort((one, other) => one.openedHoursAgo - other.openedHoursAgo)
  return jsonAnswer(
    200,
    found.map((pull) => serializePull(provider, pull)),
  )
}

function serializePull(provider: Provider, pull: PullRequest): Json {
  const openedAt = new Date(provider.nowMs() - pull.openedHoursAgo * 3_600_000)
  const reviewers = pull.reviewers.map((key) => provider.users.find(key)).filter((one) => one !== undefined)
  return {
    number: pull.number,
    title: pull.title,
    state: pull.state,
    html_url: `${provider.url}/${pull.repository}/pull/${pull.number}`,
    repository: { full_name: pull.repository },
    user: serializeAuthor(provider.users.find(pull.author), pull.author),
    requested_reviewers: reviewers.map((one) => serializeAuthor(one, one.key)),
    created_at: openedAt.toISOString(),
  }
}

function serializeAuthor(user: ProviderUser | undefined, key: string): Json {
  return { login: user?.login ?? key, name: user?.name ?? key }
}
