// Breadth first over every interleaving of the moves: each state is expanded once, whatever way led there, and the first
// violation found is one that the fewest moves lead to.
import { movesIn } from './alphabet.ts'
import type { Engine } from './engine.ts'
import { type Facts, factsOf } from './facts.ts'
import { violation } from './invariant.ts'
import type { Tables } from './memory-storage.ts'
import { NOBODY, type People } from './people.ts'
import type { Root } from './roots.ts'
import { type Move, Stage } from './stage.ts'
import { keyOfState } from './state.ts'

export interface Level {
  readonly depth: number
  /** Of the states of the level before, those that were looked at in time: 1 when it was all of them. */
  readonly share: number
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
  const { maxDepth, minDepth, until, onLevel } = options
  const startedAt = performance.now()
  const course: Course = { seen: new Set(), alphabet: new Set(), transitions: 0 }
  const { seen, alphabet } = course
  const levels: Level[] = []
  const opened = await openRoots(options, course)
  if (opened.found !== undefined) return { levels, alphabet, found: opened.found }
  let { nodes } = opened
  for (let depth = 1; depth <= maxDepth && nodes.length > 0; depth++) {
    const isOver = () => depth > minDepth && performance.now() > until
    const { next, expanded, found } = await expand(options, course, nodes, isOver)
    if (found !== undefined) return { levels, alphabet, found: { ...found, depth } }
    if (expanded === 0) break
    const share = expanded / nodes.length
    const seconds = (performance.now() - startedAt) / 1000
    const level = { depth, share, states: seen.size, transitions: course.transitions, seconds }
    levels.push(level)
    onLevel?.(level)
    if (share < 1) break
    nodes = next
  }
  return { levels, alphabet, found: undefined }
}

/** What a search knows by now. */
interface Course {
  readonly seen: Set<string>
  readonly alphabet: Set<string>
  transitions: number
}

/** Every move in each of these states. @returns the states that are new, and how many were looked at in time. */
async function expand(
  { engine }: SearchOptions,
  course: Course,
  nodes: readonly Node[],
  isOver: () => boolean,
): Promise<{ next: Node[]; expanded: number; found: Omit<Found, 'depth'> | undefined }> {
  const next: Node[] = []
  let expanded = 0
  for (const node of nodes) {
    if (isOver()) break
    const before = factsOf(engine, node.tables, node.people)
    for (const move of movesIn(before)) {
      course.alphabet.add(move.name)
      course.transitions++
      const { after, step, what } = await make(engine, node, before, move)
      if (what !== undefined) return { next, expanded, found: { what, trace: traceOf(step) } }
      const key = keyOfState(engine, after.tables, after.people)
      if (course.seen.has(key)) continue
      course.seen.add(key)
      next.push({ tables: after.tables, people: after.people, step })
    }
    expanded++
  }
  return { next, expanded, found: undefined }
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

/** @throws when a move of a root is not possible. */
async function openRoots({ engine, roots }: SearchOptions, course: Course): Promise<{ nodes: Node[]; found?: Found }> {
  const empty = engine.storage.look()
  const nodes: Node[] = []
  for (const { name, moves, byMail = false } of roots) {
    const people: People = { ...NOBODY, byMail }
    let node: Node = { tables: empty, people, step: { name: 'the way to a root', answer: '', from: undefined } }
    for (const [index, wanted] of moves.entries()) {
      const before = factsOf(engine, node.tables, node.people)
      const move = movesIn(before).find((one) => one.name === wanted)
      if (move === undefined) throw new Error(`${name}: "${wanted}" is not possible`)
      const { after, step, what } = await make(engine, node, before, move)
      if (what !== undefined) return { nodes, found: { what, trace: traceOf(step), depth: index + 1 } }
      node = { tables: after.tables, people: after.people, step }
    }
    course.seen.add(keyOfState(engine, node.tables, node.people))
    nodes.push({ ...node, step: { name, answer: '', from: undefined } })
  }
  return { nodes }
}

function traceOf(step: Step): readonly string[] {
  const { name, answer, from } = step
  const line = answer === '' ? name : `${name} → ${answer}`
  return from === undefined ? [line] : [...traceOf(from), line]
}
