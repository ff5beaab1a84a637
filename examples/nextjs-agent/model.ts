// A language model that needs no network: it calls the calendar, and then says what it heard.
import type { LanguageModel } from 'ai'

type ModelV2 = Extract<LanguageModel, { specificationVersion: 'v2' }>
type Result = Awaited<ReturnType<ModelV2['doGenerate']>>

const USAGE = { inputTokens: 0, outputTokens: 0, totalTokens: 0 }

/** Put a model of yours in its place. */
export const scriptedModel: ModelV2 = {
  specificationVersion: 'v2',
  provider: 'example',
  modelId: 'scripted',
  supportedUrls: {},
  async doGenerate({ prompt }): Promise<Result> {
    const [last] = prompt.slice(-1)
    if (last?.role !== 'tool') {
      const day = JSON.stringify(prompt).includes('today') ? 'today' : 'tomorrow'
      const call = { toolCallId: crypto.randomUUID(), toolName: 'readCalendar', input: JSON.stringify({ day }) }
      return { content: [{ type: 'tool-call', ...call }], finishReason: 'tool-calls', usage: USAGE, warnings: [] }
    }
    const [heard] = last.content
    const text =
      heard?.output.type === 'json' ? `There is: ${JSON.stringify(heard.output.value)}` : 'I could not see it.'
    return { content: [{ type: 'text', text }], finishReason: 'stop', usage: USAGE, warnings: [] }
  },
  doStream: () => Promise.reject(new Error('this model does not stream')),
}
