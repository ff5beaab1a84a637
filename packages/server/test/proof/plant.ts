// Plants a bug in this process: a line of the server is read as another while its module is loaded. Nothing of the server
// knows of it, and a line that is not there any more, or stands twice, is an error rather than a bug that is not planted.

import { registerHooks } from 'node:module'
import type { Edit, Seed } from './seeds.ts'

const SOURCES = new URL('../../src/', import.meta.url)

/** Before anything of the server is imported. @returns checks that every edit was made. */
export function plant({ edits }: Seed): () => void {
  const waiting = new Set(edits)
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const own = edits.filter(({ file }) => url === new URL(file, SOURCES).href)
      if (own.length === 0) return loaded
      for (const edit of own) waiting.delete(edit)
      // A file of TypeScript comes as it is stored.
      const text = Buffer.from(loaded.source as Uint8Array).toString('utf8')
      return { ...loaded, source: own.reduce(edited, text) }
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
