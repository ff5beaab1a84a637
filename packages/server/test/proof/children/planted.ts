// Searches a server with a planted bug, and prints what it found as one line of JSON.
import { plant } from '../plant.ts'
import { SEEDS } from '../seeds.ts'

const seed = SEEDS.find(({ name }) => name === process.argv[2])
if (seed === undefined) throw new Error(`no seed ${process.argv[2]}`)
const requirePlanted = plant(seed)
const { createEngine } = await import('../engine.ts')
const { search } = await import('../search.ts')
requirePlanted()
const maxDepth = Number(process.argv[3])
const engine = await createEngine()
const { found, levels } = await search({ engine, roots: [seed.root], maxDepth, minDepth: maxDepth, until: 0 })
await engine.close()
process.stdout.write(`${JSON.stringify({ found, levels })}\n`)
