// Searches a server with each of the planted bugs in turn, and prints what it found, a line of JSON for each: libraries are
// loaded once for all of them.
import { createPlanter } from '../plant.ts'
import { SEEDS } from '../seeds.ts'

const maxDepth = Number(process.argv[2])
const planter = createPlanter()
for (const seed of SEEDS) {
  // What the address leads to is that module.
  const load = <T>(name: string) => import(planter.withBug(seed, new URL(`../${name}`, import.meta.url))) as Promise<T>
  const { searchOnce } = await load<typeof import('../search-once.ts')>('search-once.ts')
  planter.requirePlanted()
  const result = await searchOnce(seed.root, maxDepth)
  process.stdout.write(`${JSON.stringify({ name: seed.name, ...result })}\n`)
}
