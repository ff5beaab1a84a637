// Tracked files speak of the project alone, stay small, and a tool says in its first line what it holds.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles, projectRoot, reportProblems } from './lib/files.ts'

const MAX_LINES = 400
const MAX_BYTES = 2_000_000
const TEXT = /\.(?:[cm]?[jt]sx?|json|md|css|html|svg|ya?ml|sh|sql|txt)$|^(?:[^.]+|\.[\w-]+)$|^bin\/|^\.ci\//

/** Folders that only one machine has: where people, root and build jobs keep their clones. */
const MACHINE_PATH = /(?<![\w.-])\/(?:root|work|workspace|Users\/\w+|home\/\w+)\/\w/

/** Returns one line for each thing in a file's text that breaks the rule. */
export function findFileProblems(path: string, text: string): string[] {
  const lines = text.split('\n')
  const problems = lines.flatMap((line, index) =>
    MACHINE_PATH.test(line) ? [`${path}:${index + 1}: a machine's path`] : [],
  )
  if (/^[^.].*\.ts$/.test(path) && lines.length > MAX_LINES + 1) {
    problems.push(`${path}: ${lines.length - 1} lines; look for the second duty (at most ${MAX_LINES})`)
  }
  if (/^tools\/[^/]+\.(?:ts|mjs)$/.test(path) && !lines[0]?.startsWith('// ')) {
    problems.push(`${path}:1: the first line says what the tool holds`)
  }
  return problems
}

if (import.meta.main) {
  const problems = listFiles().flatMap((path) => {
    const file = join(projectRoot, path)
    if (statSync(file).size > MAX_BYTES) return [`${path}: larger than ${MAX_BYTES} bytes`]
    return TEXT.test(path) ? findFileProblems(path, readFileSync(file, 'utf8')) : []
  })
  reportProblems('tracked files speak of the project alone, and stay small', problems)
}
