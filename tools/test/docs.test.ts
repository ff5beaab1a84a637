import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findBlockProblems, findCommandProblems, findLinkProblems } from '../check-docs.ts'

const FENCE = '```'

function block(language: string, code: string): string {
  return `# Title\n\n${FENCE}${language}\n${code}\n${FENCE}\n`
}

test('a json block that does not parse is refused, with its line', () => {
  const [problem] = findBlockProblems({ path: 'README.md', text: block('json', '{"a": 1,}') })
  assert.match(problem ?? '', /^README\.md:3: /)
  assert.deepEqual(findBlockProblems({ path: 'README.md', text: block('json', '{"a": 1}') }), [])
})

test('a block is of a known language, and commands do not pass as text', () => {
  assert.equal(findBlockProblems({ path: 'README.md', text: block('bash', 'ls') }).length, 1)
  assert.equal(findBlockProblems({ path: 'README.md', text: block('', 'npm test') }).length, 1)
  assert.deepEqual(findBlockProblems({ path: 'README.md', text: block('', 'version | nonce | tag') }), [])
})

test('a command stands in the list, with a file that shows it', () => {
  const documents = [{ path: 'README.md', text: block('sh', '# the tests\nnpm ci && \\\n  npm test   # all of them') }]
  const command = 'npm ci && npm test'
  assert.deepEqual(findCommandProblems(documents, [{ command, shownBy: '.ci/run' }], new Set(['.ci/run'])), [])
  assert.equal(findCommandProblems(documents, [], new Set()).length, 1)
  assert.equal(findCommandProblems(documents, [{ command, shownBy: 'gone' }], new Set(['.ci/run'])).length, 1)
})

test('a listed command that no document uses is refused', () => {
  assert.equal(findCommandProblems([], [{ command: 'npm test', run: true }], new Set()).length, 1)
})

test('a relative link leads to a file, a folder or a heading that stands', () => {
  const files = new Map([
    ['README.md', '# Tenon: the server\n'],
    ['docs/notes/one.md', undefined],
  ])
  const problemsOf = (link: string) => findLinkProblems({ path: 'README.md', text: `[a](${link})` }, files)
  for (const link of ['docs/notes/one.md', 'docs/notes', '#tenon-the-server', 'https://example.test/', './docs/notes/'])
    assert.deepEqual(problemsOf(link), [], link)
  for (const link of ['docs/two.md', '#elsewhere', '../outside.md']) assert.equal(problemsOf(link).length, 1, link)
})

test('links in code are none', () => {
  assert.deepEqual(
    findLinkProblems({ path: 'README.md', text: `${block('text', '[a](gone.md)')}\`[b](gone.md)\`` }, new Map()),
    [],
  )
})
