// linking.md §8: nobody reaches what is another's, whatever the two of them do and in whatever order; and a server with a
// bug in it does not pass.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createEngine } from './engine.ts'
import { reportFound, reportSearch } from './report.ts'
import { ROOTS } from './roots.ts'
import { type Result, search } from './search.ts'
import { SEEDS } from './seeds.ts'

const LONG = process.env.TENON_TEST_LONG === '1'
/** Every state so many moves away from a root is looked at, however slow the machine is: each planted bug shows there. */
const DEPTH = 3
/** And then as many of the next as there is time for. */
const SECONDS = LONG ? 30 * 60 : 60
const PLANTED = fileURLToPath(new URL('children/planted.ts', import.meta.url))

describe('linking, searched', { concurrency: 2 }, () => {
  test('no interleaving of moves gives the attacker what is the victim’s, or locks the victim out', async () => {
    const engine = await createEngine()
    const until = performance.now() + SECONDS * 1000
    const result = await search({ engine, roots: ROOTS, maxDepth: Number.POSITIVE_INFINITY, minDepth: DEPTH, until })
    await engine.close()
    process.stdout.write(reportSearch(ROOTS, result))
    assert.deepEqual(result.found, undefined)
    assert.ok(result.levels.filter(({ share }) => share === 1).length >= DEPTH)
  })

  describe('with a bug planted', { concurrency: 1 }, () => {
    let searched: Promise<ReadonlyMap<string, Planted>> | undefined
    for (const seed of SEEDS)
      test(`it finds: ${seed.name}`, async () => {
        searched ??= searchPlanted()
        const { found } = (await searched).get(seed.name) ?? {}
        assert.ok(found !== undefined, 'nothing was found')
        process.stdout.write(reportFound(seed, found))
      })
  })
})

type Planted = Pick<Result, 'found'> & { readonly name: string }

/** All of them in one process, beside the search of the server as it is. */
async function searchPlanted(): Promise<ReadonlyMap<string, Planted>> {
  const { stdout } = await promisify(execFile)(process.execPath, [PLANTED, String(DEPTH)])
  // The lines that the child printed from such results.
  const results = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Planted)
  return new Map(results.map((result) => [result.name, result]))
}
