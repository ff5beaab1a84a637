// Questions that share a round trip.
import { setImmediate as nextTick } from 'node:timers/promises'

interface Waiting<Question, Answer> {
  readonly question: Question
  readonly answer: (answer: Answer) => void
  readonly fail: (error: unknown) => void
}

/**
 * Questions that come while others wait for their answer are sent together next: the busier, the more share a statement.
 *
 * @param askMany answers each question, in their order. When it fails, all of them fail.
 */
export function together<Question, Answer>(
  askMany: (questions: readonly Question[]) => Promise<readonly Answer[]>,
): (question: Question) => Promise<Answer> {
  const waiting: Waiting<Question, Answer>[] = []
  let asking = false
  /** Never rejects: each question hears of its own end. */
  const askAll = async () => {
    while (waiting.length > 0) {
      // Requests that arrived in the same turn of the event loop come along.
      await nextTick()
      await settle(waiting.splice(0), askMany)
    }
    asking = false
  }
  return (question) =>
    new Promise((answer, fail) => {
      waiting.push({ question, answer, fail })
      if (asking) return
      asking = true
      void askAll()
    })
}

async function settle<Question, Answer>(
  batch: readonly Waiting<Question, Answer>[],
  askMany: (questions: readonly Question[]) => Promise<readonly Answer[]>,
): Promise<void> {
  try {
    const answers = (await askMany(batch.map(({ question }) => question))).values()
    for (const { answer } of batch) answer(next(answers))
  } catch (error) {
    // Whoever has an answer by then keeps it.
    for (const { fail } of batch) fail(error)
  }
}

function next<Answer>(answers: Iterator<Answer>): Answer {
  const { done, value } = answers.next()
  if (done) throw new RangeError('a question was left without an answer')
  return value
}
