// bench/results.md: each measurement has a section between markers, and writes no other.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const FILE = join(import.meta.dirname, '../../../bench/results.md')

/** Writes a section, where it stands or at the end; what else stands in the file stays. */
export function keepSection(name: string, text: string): void {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const section = `${begin}\n${text.trimEnd()}\n${end}`
  const before = existsSync(FILE) ? readFileSync(FILE, 'utf8') : '# Results\n'
  const [from, to] = [before.indexOf(begin), before.indexOf(end)]
  const known = from >= 0 && to > from
  mkdirSync(dirname(FILE), { recursive: true })
  writeFileSync(
    FILE,
    known ? before.slice(0, from) + section + before.slice(to + end.length) : `${before.trimEnd()}\n\n${section}\n`,
  )
}
