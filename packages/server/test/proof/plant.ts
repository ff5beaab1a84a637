// Plants bugs in this process, one after another: the server is loaded anew for each, and a line of it is read as another
// meanwhile. Nothing of the server knows of it, and a line that is not there any more, or stands twice, is an error rather
// than a bug that is not planted.

import { registerHooks } from 'node:module'
import type { Edit, Seed } from './seeds.ts'

const SERVER = new URL('../../', import.meta.url)
const SOURCES = new URL('src/', SERVER)
/** Of the address of a module: which bug it is loaded with. What it imports of ours carries it on. */
const MARK = 'planted'

/** @returns loads a module of ours, and all that it needs of ours, with the bug in it; then `requirePlanted` checks that every edit was made. */
export function createPlanter() {
  const edits = new Map<string, readonly Edit[]>()
  const waiting = new Set<Edit>()
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context)
      const mark = context.parentURL && markOf(context.parentURL)
      return mark && isOurs(resolved.url) ? { ...resolved, url: marked(resolved.url, mark) } : resolved
    },
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const plain = url.split('?')[0]
      const own = (edits.get(markOf(url) ?? '') ?? []).filter(({ file }) => plain === new URL(file, SOURCES).href)
      if (own.length === 0) return loaded
      for (const edit of own) waiting.delete(edit)
      // A file of TypeScript comes as it is stored.
      const text = Buffer.from(loaded.source as Uint8Array).toString('utf8')
      return { ...loaded, source: own.reduce(edited, text) }
    },
  })
  return {
    /** The address to import, for this bug. */
    withBug(seed: Seed, module: URL): string {
      const mark = String(edits.size)
      edits.set(mark, seed.edits)
      for (const edit of seed.edits) waiting.add(edit)
      return marked(module.href, mark)
    },
    requirePlanted() {
      for (const { file } of waiting) throw new Error(`${file} was never loaded`)
    },
  }
}

const isOurs = (url: string): boolean => url.startsWith(SERVER.href) && !url.includes('/node_modules/')
const marked = (url: string, mark: string): string => `${url}?${MARK}=${mark}`
const markOf = (url: string): string | undefined => new URL(url).searchParams.get(MARK) ?? undefined

function edited(text: string, { file, from, to }: Edit): string {
  const parts = text.split(from)
  if (parts.length !== 2) throw new Error(`"${from}" stands ${parts.length - 1} times in ${file}, not once`)
  return parts.join(to)
}
