import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonRows, RowsBroken } from '../../src/lib/json-rows.ts'

const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 })

/** The text in pieces of that length. */
const inPieces = (text: string, length: number) =>
  Array.from({ length: Math.ceil(text.length / length) }, (_, at) => text.slice(at * length, (at + 1) * length))

const read = async (text: string, length = 7) =>
  (await Array.fromAsync(jsonRows(inPieces(text, length)))).map((row) => ({ ...row, value: JSON.parse(row.text) }))

test('rows come whole, however the file is laid out and however it arrives', async () => {
  await fc.assert(
    fc.asyncProperty(objects, fc.integer({ min: 1, max: 40 }), async (given, length) => {
      const values = JSON.parse(JSON.stringify(given))
      const layouts = [
        JSON.stringify(values),
        JSON.stringify(values, undefined, 2),
        values.map((one: unknown) => `${JSON.stringify(one)}\r\n`).join('\n'),
        `\uFEFF${values.map((one: unknown) => JSON.stringify(one)).join('\n')}`,
      ]
      for (const text of layouts)
        assert.deepEqual(
          (await read(text, length)).map(({ value }) => value),
          values,
        )
    }),
    { numRuns: 60 },
  )
})

test('each row knows its line', async () => {
  assert.deepEqual(
    (await read('{"a":1}\n\n{"a":2}')).map(({ line }) => line),
    [1, 3],
  )
  assert.deepEqual(
    (await read('[\n  {"a":\n1},\n  {"a":2}\n]')).map(({ line }) => line),
    [2, 4],
  )
})

test('a broken line is a row of its own; an array that breaks off, or holds something else, ends the reading', async () => {
  const rows = await Array.fromAsync(jsonRows(['{"a":1}\n{"a":\n{"a":3}\n']))
  assert.deepEqual(
    rows.map(({ text }) => text),
    ['{"a":1}', '{"a":', '{"a":3}'],
  )
  for (const text of ['[{"a":1}', '[{"a":1}, 2]', '[{"a":1}] {"a":2}', '[[]]', '[{"a":1}]]'])
    await assert.rejects(Array.fromAsync(jsonRows([text])), RowsBroken, text)
  await assert.rejects(Array.fromAsync(jsonRows([`{"a":"${'x'.repeat(2_000_000)}`])), RowsBroken)
  assert.deepEqual(await Array.fromAsync(jsonRows([' \n'])), [])
})
