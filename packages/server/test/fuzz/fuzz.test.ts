// A short walk through each fuzzer, with the numbers that once found something. The long one: npm run fuzz.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { samlTarget } from './saml.ts'
import { fuzz, type Target } from './target.ts'
import { tokenAnswerTarget } from './token-answer.ts'

/** Numbers of inputs that found something, by target. */
const FOUND: Readonly<Record<string, readonly number[]>> = { saml: [], 'token-answer': [] }

async function walk(name: string, target: Target, most: number): Promise<ReadonlyMap<string, number>> {
  for (const number of FOUND[name] ?? []) await target.run(number)
  const { findings, outcomes } = await fuzz(target, 1, (inputs) => inputs >= most)
  assert.deepEqual(findings, [])
  return outcomes
}

test('T-SAML-02 nobody is taken for somebody else, however a signed answer is meddled with', async () => {
  const outcomes = await walk('saml', await samlTarget(), 400)
  // Both ends of the parser are reached: what is refused at the first look, and by the signature.
  for (const code of [
    'saml_xml_refused',
    'saml_response_invalid',
    'saml_decryption_refused',
    'saml_signature_refused',
    'taken',
  ])
    assert.ok((outcomes.get(code) ?? 0) > 0, `${code}: ${[...outcomes]}`)
})

test('T-NET-02 no answer of a token endpoint crashes us or becomes a token that could not be sent', async () => {
  const outcomes = await walk('token-answer', await tokenAnswerTarget(), 4000)
  for (const code of ['read', 'token_answer_invalid', 'answer_malformed'])
    assert.ok((outcomes.get(code) ?? 0) > 0, `${code}: ${[...outcomes]}`)
})
