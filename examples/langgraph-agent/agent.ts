// The agent: a graph of a model and its tool. Where the tool lacks the user's account, the graph stands still until it is
// connected, and goes on from there.
import { HumanMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import {
  Command,
  END,
  INTERRUPT,
  interrupt,
  isInterrupted,
  MemorySaver,
  MessagesAnnotation,
  START,
  StateGraph,
} from '@langchain/langgraph'
import { ToolNode, toolsCondition } from '@langchain/langgraph/prebuilt'
import { type Agent, type ConnectHint, type Subject, withAccount } from '@tenon/sdk'
import { z } from 'zod'
import { scriptedModel } from './model.ts'

export type Answer =
  | { readonly kind: 'text'; readonly text: string }
  /** The user has to connect this first. */
  | { readonly kind: 'connect'; readonly connect: ConnectHint }

/** Where graphs stand; put a saver of LangGraph's that outlives the process in its place. */
const checkpointer = new MemorySaver()

const input = z.object({ day: z.enum(['today', 'tomorrow']) })
const events = z.object({ items: z.array(z.object({ summary: z.string() })) })

/**
 * The subject is a part of the tool and not of the graph's state, so that no checkpoint holds a token.
 *
 * @param subject the user, by their refresh token
 */
function calendarTool(agent: Agent, subject: Subject) {
  const wanted = { agent, connection: 'calendar', scopes: ['calendar.read'], purpose: 'What is in your calendar' }
  const read = withAccount(wanted, async ({ accessToken }, { day }: z.infer<typeof input>) => {
    const response = await fetch(`${process.env.CALENDAR_URL}/calendar/v1/events?day=${day}`, {
      headers: { authorization: `Bearer ${accessToken}` },
    })
    if (!response.ok) throw new Error(`the calendar answered with ${response.status}`)
    return events.parse(await response.json()).items.map(({ summary }) => summary)
  })
  return tool(
    async (asked: z.infer<typeof input>) => {
      for (;;) {
        const result = await read(subject, asked)
        if (result.kind === 'done') return JSON.stringify(result.value)
        // Ends this run. The next one comes here again from the beginning, and by then there is an account, or is not.
        interrupt(result.connect)
      }
    },
    { name: 'readCalendar', description: 'What is in the calendar of the user on a day', schema: input },
  )
}

function graphOf(agent: Agent, subject: Subject) {
  // Errors of a tool are the app's business: a model would only talk about them.
  const tools = new ToolNode([calendarTool(agent, subject)], { handleToolErrors: false })
  return new StateGraph(MessagesAnnotation)
    .addNode('model', ({ messages }) => ({ messages: [scriptedModel(messages)] }))
    .addNode('tools', tools)
    .addEdge(START, 'model')
    .addConditionalEdges('model', toolsCondition, ['tools', END])
    .addEdge('tools', 'model')
    .compile({ checkpointer })
}

export interface Conversation {
  readonly agent: Agent
  readonly subject: Subject
  /** Names the graph's state: one user's, and nobody else's to resume. */
  readonly thread: string
}

/** Asks anew. */
export const ask = (conversation: Conversation, question: string): Promise<Answer> =>
  run(conversation, { messages: [new HumanMessage(question)] })

/** Goes on where the graph stands. What became of connecting, the tool finds out by itself. */
export const resume = (conversation: Conversation): Promise<Answer> =>
  run(conversation, new Command({ resume: 'go on' }))

type Input = Parameters<ReturnType<typeof graphOf>['invoke']>[0]

async function run({ agent, subject, thread }: Conversation, input: Input): Promise<Answer> {
  const state = await graphOf(agent, subject).invoke(input, { configurable: { thread_id: thread } })
  if (isInterrupted<ConnectHint>(state)) {
    const connect = state[INTERRUPT][0]?.value
    if (connect === undefined) throw new Error('the graph stands still and does not say why')
    return { kind: 'connect', connect }
  }
  return { kind: 'text', text: state.messages.at(-1)?.text ?? '' }
}
