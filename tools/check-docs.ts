// No document claims what nothing shows: every block is checked, every command is run by something, every link leads somewhere.
//
// json blocks parse; ts blocks compile against the sources, those that import an SDK in the tests of sdks/; python blocks are
// run by a test of their guide; sh blocks stand in doc-commands.json, with the test or script
// that shows them, or `"run": true` for those that are run right here.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { listFiles, projectRoot, reportProblems } from './lib/files.ts'
import { type Block, blocksOf, headingsOf, linksOf } from './lib/markdown.ts'

/** A command of the documents: run here, or shown by the named file. */
export type DocCommand = { readonly command: string; readonly run?: true; readonly shownBy?: string }

export type Document = { readonly path: string; readonly text: string }

/** Languages that are shown to people and claim nothing that could be run; a block without one is text. */
const SHOWN = ['', 'text', 'mermaid', 'http', 'sql']
const CHECKED = ['json', 'ts', 'sh', 'python']
const COMMAND = /^\s*(?:\$ |(?:npm|npx|node|git|curl|bin\/tenon|tenon) \S)/m

/** Returns one line for each block of no known language, and each json block that does not parse. */
export function findBlockProblems({ path, text }: Document): string[] {
  return blocksOf(text).flatMap(({ language, code, line }) => {
    if (![...SHOWN, ...CHECKED].includes(language)) {
      return [`${path}:${line}: a block of language "${language}"; known are ${[...CHECKED, ...SHOWN].join(' ')}`]
    }
    if (['', 'text'].includes(language) && COMMAND.test(code))
      return [`${path}:${line}: commands belong into a block of sh`]
    return language === 'json' ? problemsOfJson(code).map((problem) => `${path}:${line}: ${problem}`) : []
  })
}

function problemsOfJson(code: string): string[] {
  try {
    JSON.parse(code)
    return []
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

/** Returns one line for each command that nothing shows, and each entry of the list that no document uses. */
export function findCommandProblems(
  documents: readonly Document[],
  commands: readonly DocCommand[],
  files: ReadonlySet<string>,
): string[] {
  const used = documents.flatMap(({ path, text }) =>
    blocksOf(text)
      .filter(({ language }) => language === 'sh')
      .flatMap(commandsOf)
      .map(({ command, line }) => ({ command, at: `${path}:${line}` })),
  )
  const listed = new Set(commands.map(({ command }) => command))
  const unlisted = used
    .filter(({ command }) => !listed.has(command))
    .map(({ command, at }) => `${at}: nothing shows "${command}"`)
  const unused = [...listed]
    .filter((command) => !used.some((one) => one.command === command))
    .map((command) => `${LIST}: no document says "${command}"`)
  const broken = commands
    .filter(({ run, shownBy }) => run !== true && (shownBy === undefined || !files.has(shownBy)))
    .map(({ command, shownBy }) => `${LIST}: "${command}" is shown by ${shownBy ?? 'nothing'}, which does not exist`)
  return [...unlisted, ...unused, ...broken]
}

/** One command a line; a backslash at the end goes on; comments are for people. */
function commandsOf({ code, line }: Block): { command: string; line: number }[] {
  return code
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((command, index) => ({ command: command.replace(/\s+#\s.*$/, '').trim(), line: line + 1 + index }))
    .filter(({ command }) => command !== '' && !command.startsWith('#'))
}

/** Returns one line for each relative link to a file or heading that is not there. */
export function findLinkProblems({ path, text }: Document, files: ReadonlyMap<string, string | undefined>): string[] {
  return linksOf(text).flatMap(({ target, line }) => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return []
    const [file = '', heading] = target.split('#')
    const wanted = file === '' ? path : normalize(join(dirname(path), file)).replace(/\/$/, '')
    const present = files.has(wanted) || [...files.keys()].some((one) => one.startsWith(`${wanted}/`))
    if (!present) return [`${path}:${line}: ${target} leads nowhere`]
    const content = heading === undefined ? undefined : files.get(wanted)
    if (content === undefined || heading === undefined || headingsOf(content).includes(heading)) return []
    return [`${path}:${line}: ${wanted} has no heading #${heading}`]
  })
}

const LIST = 'tools/doc-commands.json'

/** Compiles all ts blocks together, as modules of the project; `build/` is where git does not look. */
function findTypeProblems(documents: readonly Document[]): string[] {
  const blocks = documents.flatMap(({ path, text }) =>
    blocksOf(text)
      .filter(({ language, code }) => language === 'ts' && !needsSdks(code))
      .map(({ code, line }) => ({ code, name: `${path.replace(/\W/g, '_')}_${line}.ts` })),
  )
  if (blocks.length === 0) return []
  const folder = join(projectRoot, 'build', 'docs')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const { code, name } of blocks) writeFileSync(join(folder, name), `${code}\nexport {}\n`)
  const config = { extends: '../../tsconfig.json', compilerOptions: { noUnusedLocals: false }, include: ['*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const { status, stdout } = spawnSync('tsc', ['-p', folder], { encoding: 'utf8', cwd: projectRoot })
  return status === 0 ? [] : [stdout.trim()]
}

/** True when a block imports what only sdks/ installs. */
export const needsSdks = (code: string): boolean => /^import .* from '(?:@auth0\/|auth0|express|ai'|zod')/m.test(code)

function findRunProblems(commands: readonly DocCommand[]): string[] {
  return commands
    .filter(({ run }) => run === true)
    .flatMap(({ command }) => {
      try {
        execFileSync('sh', ['-c', command], { cwd: projectRoot, stdio: 'pipe', timeout: 60_000 })
        return []
      } catch (error) {
        return [`"${command}" failed: ${error instanceof Error ? error.message : String(error)}`]
      }
    })
}

if (import.meta.main) {
  const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8')
  const paths = listFiles()
  const documents = paths
    .filter((path) => /^(?:[^/]+|docs\/.*|examples\/.*|(?:packages\/[^/]+|sdks)\/README)\.md$/.test(path))
    .map((path) => ({ path, text: read(path) }))
  // The cast is checked by use: an entry without a command fits no document and is reported.
  const commands = existsSync(join(projectRoot, LIST)) ? (JSON.parse(read(LIST)) as DocCommand[]) : []
  const contents = new Map(paths.map((path) => [path, documents.find((one) => one.path === path)?.text]))
  reportProblems('no document claims what nothing shows', [
    ...documents.flatMap(findBlockProblems),
    ...documents.flatMap((document) => findLinkProblems(document, contents)),
    ...findCommandProblems(documents, commands, new Set(paths)),
    ...findTypeProblems(documents),
    ...findRunProblems(commands),
  ])
}
