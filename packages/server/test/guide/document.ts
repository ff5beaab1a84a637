// A guide as the tests read it: what stands in its blocks is what they run.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { blocksOf } from '../../../../tools/lib/markdown.ts'

export const projectRoot = join(import.meta.dirname, '../../../..')

/** The blocks of one language, in order. @param path from the project's root */
export const blocksIn = (path: string, language: string): readonly string[] =>
  blocksOf(readFileSync(join(projectRoot, path), 'utf8'))
    .filter((block) => block.language === language)
    .map(({ code }) => code)

/** The one that holds a text. @throws {Error} the guide has none. */
export function blockWith(blocks: readonly string[], text: string): string {
  const found = blocks.find((code) => code.includes(text))
  if (found === undefined) throw new Error(`the guide has no block with ${text}`)
  return found
}
