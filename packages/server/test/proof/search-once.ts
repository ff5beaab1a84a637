// One search from one root, by an engine of its own.
import { createEngine } from './engine.ts'
import type { Root } from './roots.ts'
import { type Result, search } from './search.ts'

export async function searchOnce(root: Root, maxDepth: number): Promise<Pick<Result, 'found' | 'levels'>> {
  const engine = await createEngine()
  const { found, levels } = await search({ engine, roots: [root], maxDepth, minDepth: maxDepth, until: 0 })
  await engine.close()
  return { found, levels }
}
