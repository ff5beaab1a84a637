// Checks look at what git would commit, never at what merely lies about.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's root folder, without a slash at its end. */
export const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Paths, from the root, of files that are tracked or would be by `git add`; deleted ones are left out. */
export function listFiles(): string[] {
  const flags = ['--cached', '--others', '--exclude-standard', '-z']
  const output = execFileSync('git', ['ls-files', ...flags], { cwd: projectRoot, encoding: 'utf8' })
  return [...new Set(output.split('\0'))].filter((path) => path !== '' && existsSync(`${projectRoot}/${path}`)).sort()
}

/** Prints each problem on standard error, and ends the process with 1 when there is one. */
export function reportProblems(rule: string, problems: readonly string[]): void {
  for (const problem of problems) console.error(problem)
  if (problems.length === 0) return
  console.error(`\n${problems.length} × against the rule: ${rule}`)
  process.exit(1)
}
