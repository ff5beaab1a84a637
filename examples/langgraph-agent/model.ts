// A language model that needs no network: it calls the calendar, and then says what it heard.
import { AIMessage, type BaseMessage, ToolMessage } from '@langchain/core/messages'

/** Put a model of yours in its place, with the tool bound to it. */
export function scriptedModel(messages: readonly BaseMessage[]): AIMessage {
  const last = messages.at(-1)
  if (last instanceof ToolMessage) return new AIMessage(`There is: ${last.text}`)
  const day = last?.text.includes('today') ? 'today' : 'tomorrow'
  return new AIMessage({
    content: '',
    tool_calls: [{ id: crypto.randomUUID(), name: 'readCalendar', args: { day } }],
  })
}
