// A guide as the tests read it: what stands in its blocks is what they run.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { needsSdks } from '../../../../tools/check-docs.ts'
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

/** The TypeScript of a guide as one module: each block is one, and what they export is put together. */
export async function programsIn<Programs>(t: TestContext, path: string): Promise<Programs> {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-guide-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const blocks = blocksIn(path, 'ts').filter((code) => !needsSdks(code))
  const modules = blocks.map(async (text, index) => {
    const file = join(folder, `block-${index}.ts`)
    writeFileSync(file, text)
    return (await import(pathToFileURL(file).href)) as object
  })
  // Compiled together with all documents by tools/check-docs.ts; a missing export fails its call.
  return Object.assign({}, ...(await Promise.all(modules))) as Programs
}
