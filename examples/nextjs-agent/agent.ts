// `lib/agent.ts` of the app: a tool that needs the user's calendar, and what becomes of a question.
import { createRequire } from 'node:module'
import { generateText, stepCountIs, type ToolSet, tool } from 'ai'
import { z } from 'zod'
import { CLIENT } from './auth0.ts'
import { scriptedModel } from './model.ts'

// A bundler takes these by `import`; the ES modules in them name files without their endings, which Node does not take.
const require = createRequire(import.meta.url)
const { Auth0AI, getAccessTokenFromTokenVault, setAIContext } =
  require('@auth0/ai-vercel') as typeof import('@auth0/ai-vercel')
const { TokenVaultInterrupt } = require('@auth0/ai/interrupts') as typeof import('@auth0/ai/interrupts')

export type Answer =
  | { readonly kind: 'text'; readonly text: string }
  /** The user has to connect this first. */
  | { readonly kind: 'connect'; readonly connection: string; readonly scopes: readonly string[] }

const readCalendar = tool({
  description: 'What is in the calendar of the user on a day',
  inputSchema: z.object({ day: z.enum(['today', 'tomorrow']) }),
  async execute({ day }) {
    const response = await fetch(`${process.env.CALENDAR_URL}/calendar/v1/events?day=${day}`, {
      headers: { authorization: `Bearer ${getAccessTokenFromTokenVault()}` },
    })
    if (!response.ok) throw new Error(`the calendar answered with ${response.status}`)
    const { items } = z.object({ items: z.array(z.object({ summary: z.string() })) }).parse(await response.json())
    return items.map(({ summary }) => summary)
  },
})

/** @param refreshToken of the user, from the session; the tool's token comes from Tenon by it. */
export async function ask(question: string, refreshToken: string): Promise<Answer> {
  setAIContext({ threadID: crypto.randomUUID() })
  const auth0AI = new Auth0AI({ auth0: CLIENT })
  const wanted = { connection: 'calendar', scopes: ['calendar.read'], refreshToken: async () => refreshToken }
  const tools: ToolSet = { readCalendar: auth0AI.withTokenVault(wanted, readCalendar) }
  const { steps, text } = await generateText({
    model: scriptedModel,
    tools,
    prompt: question,
    stopWhen: stepCountIs(3),
  })
  for (const part of steps.flatMap(({ content }) => content)) {
    if (part.type !== 'tool-error') continue
    if (!(part.error instanceof TokenVaultInterrupt)) throw part.error
    return { kind: 'connect', connection: part.error.connection, scopes: part.error.requiredScopes }
  }
  return { kind: 'text', text }
}
