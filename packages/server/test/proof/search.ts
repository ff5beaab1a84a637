// Breadth first over every interleaving of the moves: each state is expanded once, whatever way led there, and the first
// violation found is one that the fewest moves lead to.
import { type Move, movesIn } from './alphabet.ts'
import type { Engine } from './engine.ts'
import { type Facts, factsOf } from './facts.ts'
import { violation } from './invariant.ts'
import type { Tables } from './memory-storage.ts'
import { NOBODY, type People } from './people.ts'
import { Stage } from './stage.ts'
import { keyOfState } from './state.ts'

/** Where the search begins: the moves that lead there are not counted. */
export interface Root {
  readonly name: string
  readonly moves: readonly string[]
}

export interface Level {
  readonly depth: number
  /** Every state of the level before was expanded. */
  readonly complete: boolean
  /** All so far. */
  readonly states: number
  readonly transitions: number
  readonly seconds: number
}

export interface Found {
  readonly what: string
  /** The root, then each move with what the server answered. */
  readonly trace: readonly string[]
  readonly depth: number
}

export interface Result {
  readonly levels: readonly Level[]
  readonly alphabet: ReadonlySet<string>
  readonly found: Found | undefined
}

export interface SearchOptions {
  readonly engine: Engine
  readonly roots: readonly Root[]
  readonly maxDepth: number
  /** Goes on until every state of this depth is known, however long that takes … */
  readonly minDepth: number
  /** … and deeper, until then (`performance.now()`). */
  readonly until: number
  readonly onLevel?: (level: Level) => void
}

interface Node {
  readonly tables: Tables
  readonly people: People
  readonly step: Step
}

interface Step {
  readonly name: string
  readonly answer: string
  readonly from: Step | undefined
}

export async function search(options: SearchOptions): Promise<Result> {
  const { engine, maxDepth, minDepth, until } = options
  const startedAt = performance.now()
  const seen = new Set<string>()
  const alphabet = new Set<string>()
  const levels: Level[] = []
  let transitions = 0
  let frontier = await openRoots(options, seen)
  for (let depth = 1; depth <= maxDepth && frontier.length > 0; depth++) {
    const next: Node[] = []
    let expanded = 0
    for (const node of frontier) {
      if (depth > minDepth && performance.now() > until) break
      const before = factsOf(engine, node.tables, node.people)
      for (const move of movesIn(before)) {
        alphabet.add(move.name)
        transitions++
        const { after, step, what } = await make(engine, node, before, move)
        if (what !== undefined) return { levels, alphabet, found: { what, trace: traceOf(step), depth } }
        const key = keyOfState(engine, after.tables, after.people)
        if (seen.has(key)) continue
        seen.add(key)
        next.push({ tables: after.tables, people: after.people, step })
      }
      expanded++
    }
    const level = {
      depth,
      complete: expanded === frontier.length,
      states: seen.size,
      transitions,
      seconds: (performance.now() - startedAt) / 1000,
    }
    levels.push(level)
    options.onLevel?.(level)
    if (!level.complete) break
    frontier = next
  }
  return { levels, alphabet, found: undefined }
}

async function make(engine: Engine, { tables, step: from }: Node, before: Facts, move: Move) {
  engine.goBack(tables)
  const stage = new Stage(engine, before)
  const failure = await move.run(stage).then(
    () => engine.errors.pop(),
    (error: unknown) => error,
  )
  const after = stage.end()
  const step: Step = { name: move.name, answer: stage.answer, from }
  const what = failure === undefined ? violation(before, after) : `the server failed: ${describe(failure)}`
  return { after, step, what }
}

const describe = (failure: unknown): string =>
  failure instanceof Error ? (failure.stack ?? '') : JSON.stringify(failure)

async function openRoots({ engine, roots }: SearchOptions, seen: Set<string>): Promise<Node[]> {
  const empty = engine.storage.look()
  const nodes: Node[] = []
  for (const { name, moves } of roots) {
    let node: Node = { tables: empty, people: NOBODY, step: { name, answer: '', from: undefined } }
    for (const wanted of moves) {
      const before = factsOf(engine, node.tables, node.people)
      const move = movesIn(before).find((one) => one.name === wanted)
      if (move === undefined) throw new Error(`${name}: "${wanted}" is not possible`)
      const { after, what } = await make(engine, node, before, move)
      if (what !== undefined) throw new Error(`${name}: "${wanted}" leads to: ${what}`)
      node = { tables: after.tables, people: after.people, step: node.step }
    }
    seen.add(keyOfState(engine, node.tables, node.people))
    nodes.push(node)
  }
  return nodes
}

function traceOf(step: Step): readonly string[] {
  const { name, answer, from } = step
  const line = answer === '' ? name : `${name} → ${answer}`
  return from === undefined ? [line] : [...traceOf(from), line]
}
