// docs/reference/threats.md lists every known attack with the tests that make it; what is called covered has a test of that name.
import { readFileSync, writeFileSync } from 'node:fs'
import { listFiles, projectRoot } from './lib/files.ts'

export interface Threat {
  readonly id: string
  readonly title: string
  /** `argued`: why no test is needed stands in the note. `not yet`: what is missing does. */
  readonly status: 'covered' | 'not yet' | 'argued'
  readonly note?: string
}

/** Files, from the root, whose tests begin with the id. */
export type TestsById = ReadonlyMap<string, readonly string[]>

const LIST = 'docs/reference/threats.json'
const PAGE = 'docs/reference/threats.md'
const TEST_FILE = /^packages\/[^/]+\/test\/.*\.ts$/
const TEST_NAME = /\btest\(\s*(['"`])(.*?)\1\s*,/g
const STATUSES: readonly string[] = ['covered', 'not yet', 'argued']

const INTRODUCTION =
  'Every attack that the server is known to face, and the test that makes it. A test is found by its name, which holds ' +
  'the id. "Argued" means that nothing of ours can be attacked so, and why. Written by ' +
  '`tools/generate-threats-table.ts` from `docs/reference/threats.json` and the names of the tests.'

export function findTests(files: readonly { readonly path: string; readonly text: string }[]): TestsById {
  const found = new Map<string, Set<string>>()
  for (const { path, text } of files) {
    for (const [, , name = ''] of text.matchAll(TEST_NAME)) {
      for (const [id] of name.matchAll(/T-[A-Z]+-\d\d/g)) found.set(id, (found.get(id) ?? new Set()).add(path))
    }
  }
  return new Map([...found].map(([id, paths]) => [id, [...paths].sort()]))
}

/** Returns one line for each entry that claims too much or too little, and each test of an attack that is not listed. */
export function findThreatProblems(threats: readonly Threat[], tests: TestsById): string[] {
  const ids = threats.map(({ id }) => id)
  const doubled = ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${LIST}: ${id} is listed twice`)
  const unlisted = [...tests.keys()]
    .filter((id) => !ids.includes(id))
    .map((id) => `${LIST}: ${id} is tested, not listed`)
  const wrong = threats.flatMap(({ id, status, note }) => {
    if (!STATUSES.includes(status)) return [`${LIST}: ${id} has no status of ${STATUSES.join(', ')}`]
    if (status === 'covered' && !tests.has(id))
      return [`${LIST}: ${id} is called covered; no test has its id in its name`]
    return status !== 'covered' && note === undefined ? [`${LIST}: ${id} is ${status} and says not why`] : []
  })
  return [...doubled, ...unlisted, ...wrong]
}

export function renderThreats(threats: readonly Threat[], tests: TestsById): string {
  const counts = STATUSES.map((status) => `${threats.filter((one) => one.status === status).length} ${status}`)
  const rows = threats.map(({ id, title, status, note }) => {
    const shown = (tests.get(id) ?? []).map(linkTo)
    return `| ${id} | ${title} | ${status} | ${[...(note === undefined ? [] : [note]), ...shown].join('<br>')} |`
  })
  return [
    '# Attacks',
    INTRODUCTION,
    `${threats.length} attacks: ${counts.join(', ')}.`,
    ['| id | attack | status | tests and notes |', '| --- | --- | --- | --- |', ...rows].join('\n'),
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n')
}

const linkTo = (path: string): string =>
  `[${path.replace(/^packages\/(\w+)\/test\//, '$1/').replace(/\.test\.ts$/, '')}](../../${path})`

export function readThreats(): { readonly threats: readonly Threat[]; readonly tests: TestsById } {
  const read = (path: string) => readFileSync(`${projectRoot}/${path}`, 'utf8')
  // Checked by `findThreatProblems`.
  const threats = JSON.parse(read(LIST)) as readonly Threat[]
  const files = listFiles().filter((path) => TEST_FILE.test(path))
  return { threats, tests: findTests(files.map((path) => ({ path, text: read(path) }))) }
}

if (import.meta.main) {
  const { threats, tests } = readThreats()
  writeFileSync(`${projectRoot}/${PAGE}`, renderThreats(threats, tests))
}
