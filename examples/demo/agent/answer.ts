// What the agent does with a question. Rules, no language model: the demo is about what happens between the question and
// the answer.
import { ApiError, type ApiOptions, type Meeting, meetingsOn, type PullRequest, pullsToReview } from './apis.ts'
import type { ConnectHint, Tenon } from './tenon.ts'

export interface Question {
  readonly text: string
  readonly topics: readonly Topic[]
  readonly day: 'today' | 'tomorrow'
}

export type Topic = 'calendar' | 'code'

export type Part =
  | { readonly kind: 'say'; readonly text: string }
  | {
      readonly kind: 'meetings'
      readonly day: 'today' | 'tomorrow'
      readonly date: Date
      readonly person: string
      readonly meetings: readonly Meeting[]
      readonly readAt: Date
    }
  | { readonly kind: 'pulls'; readonly pulls: readonly PullRequest[]; readonly readAt: Date }
  | {
      readonly kind: 'need'
      readonly topic: Topic
      readonly reason: 'not_connected' | 'reconnect'
      readonly connect: ConnectHint
    }
  | { readonly kind: 'trouble'; readonly topic: Topic; readonly text: string }

const PATTERNS: Readonly<Record<Topic, RegExp>> = {
  calendar: /\b(?:calendar|meetings?|appointments?|today|tomorrow|what(?:'s| is) on)\b/i,
  code: /\b(?:pull requests?|reviews?|prs?|code)\b/i,
}

export function understand(text: string): Question {
  const topics = (['calendar', 'code'] as const).filter((topic) => PATTERNS[topic].test(text))
  return { text, topics, day: /\btoday\b/i.test(text) ? 'today' : 'tomorrow' }
}

interface Means {
  readonly tenon: Tenon
  readonly apis: ApiOptions
  readonly refreshToken: string
}

/** Every topic of the question is answered, or says what is missing for it. */
export async function answer(question: Question, means: Means): Promise<readonly Part[]> {
  if (question.topics.length === 0) return [{ kind: 'say', text: ONLY_KNOWS }]
  const parts: Part[] = []
  for (const topic of question.topics) parts.push(await answerTopic(topic, question, means))
  return parts
}

const ONLY_KNOWS =
  'I am a small program with a few rules. I know your calendar, today and tomorrow, and the pull requests that wait for you.'

/** Topics are named as the connections are. */
async function answerTopic(topic: Topic, { text, day }: Question, means: Means): Promise<Part> {
  const access = await means.tenon.accessTokenFor(topic, means.refreshToken, text)
  if (access.kind === 'connect') return { kind: 'need', topic, reason: access.reason, connect: access.connect }
  if (access.kind === 'refused') return { kind: 'trouble', topic, text: refusalText(access.code) }
  try {
    return await read(topic, day, access.accessToken, means.apis)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { kind: 'trouble', topic, text: `${error.message}.` }
  }
}

async function read(topic: Topic, day: Question['day'], accessToken: string, apis: ApiOptions): Promise<Part> {
  const readAt = new Date()
  if (topic === 'code') return { kind: 'pulls', pulls: await pullsToReview(accessToken, apis), readAt }
  return { kind: 'meetings', day, ...(await meetingsOn(day, accessToken, apis)), readAt }
}

function refusalText(code: string): string {
  if (code === 'provider_unavailable') return 'does not answer Tenon at the moment. Ask me again in a minute.'
  if (code === 'policy_denied') return 'is not mine to use: you, or whoever runs Tenon, does not allow it.'
  return `cannot be used just now: Tenon says ${code}.`
}
