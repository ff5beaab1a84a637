// The two providers' APIs, called with the access tokens that Tenon hands out.

export interface Meeting {
  /** Wall clock at the calendar's place. */
  readonly time: string
  readonly title: string
  readonly with: readonly string[]
}

export interface PullRequest {
  readonly repository: string
  readonly number: number
  readonly title: string
  readonly author: string
  readonly openedAt: Date
}

export interface ApiOptions {
  readonly calendarUrl: string
  readonly codeUrl: string
  readonly fetch: typeof fetch
}

/** The provider did not answer, or not with what was asked for. */
export class ApiError extends Error {}

export async function meetingsOn(
  day: 'today' | 'tomorrow',
  accessToken: string,
  { calendarUrl, fetch }: ApiOptions,
): Promise<{ readonly person: string; readonly date: Date; readonly meetings: readonly Meeting[] }> {
  const body = object(await get(`${calendarUrl}?day=${day}`, accessToken, fetch))
  return {
    person: string(body.summary),
    // Noon of that day, so that no time zone makes another day of it.
    date: new Date(`${string(body.day)}T12:00:00`),
    meetings: list(body.items).map((item) => ({
      // 2031-04-07T10:00:00+02:00: the hour as people there say it.
      time: string(object(item.start).dateTime).slice(11, 16),
      title: string(item.summary),
      with: list(item.attendees).map((one) => string(one.displayName)),
    })),
  }
}

export async function pullsToReview(
  accessToken: string,
  { codeUrl, fetch }: ApiOptions,
): Promise<readonly PullRequest[]> {
  return list(await get(`${codeUrl}?state=open&review=requested`, accessToken, fetch)).map((pull) => ({
    repository: string(object(pull.repository).full_name),
    number: Number(pull.number),
    title: string(pull.title),
    author: string(object(pull.user).name),
    openedAt: new Date(string(pull.created_at)),
  }))
}

const TIMEOUT_MS = 10_000

async function get(url: string, accessToken: string, fetcher: typeof fetch): Promise<unknown> {
  const headers = { authorization: `Bearer ${accessToken}`, accept: 'application/json' }
  let response: Response
  try {
    response = await fetcher(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch (cause) {
    throw new ApiError('does not answer', { cause })
  }
  if (!response.ok) throw new ApiError(`answers ${response.status}`)
  return response.json()
}

type Json = Readonly<Record<string, unknown>>

// Members are looked at one by one afterwards.
const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})

const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(object) : [])

const string = (value: unknown): string => (typeof value === 'string' ? value : '')
