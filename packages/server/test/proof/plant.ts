// Plants a bug in this process: a line of the server is read as another while its module is loaded. Nothing of the server
// knows of it, and a line that is not there any more, or stands twice, is an error rather than a bug that is not planted.

import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Edit, Seed } from './seeds.ts'

const SOURCES = new URL('../../src/', import.meta.url)

/** Before anything of the server is imported. @returns checks that every edit was made. */
export function plant({ edits }: Seed): () => void {
  const waiting = new Set(edits)
  registerHooks({
    load(url, context, nextLoad) {
      const own = edits.filter(({ file }) => url === new URL(file, SOURCES).href)
      if (own.length === 0) return nextLoad(url, context)
      const text = own.reduce(edited, readFileSync(fileURLToPath(url), 'utf8'))
      for (const edit of own) waiting.delete(edit)
      return { format: 'module', source: stripTypeScriptTypes(text), shortCircuit: true }
    },
  })
  return () => {
    for (const { file } of waiting) throw new Error(`${file} was never loaded`)
  }
}

function edited(text: string, { file, from, to }: Edit): string {
  const parts = text.split(from)
  if (parts.length !== 2) throw new Error(`"${from}" stands ${parts.length - 1} times in ${file}, not once`)
  return parts.join(to)
}
