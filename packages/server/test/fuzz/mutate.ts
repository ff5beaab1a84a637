// Inputs nearly right: parsers fail at what is almost what they wait for. Each input follows from its number alone.

export type Random = (below: number) => number

/** Small and even enough (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below)
  }
}

export interface Stock {
  /** Right ones, to start from. */
  readonly samples: readonly string[]
  /** Pieces that mean something to the parser. */
  readonly pieces: readonly string[]
  /** The parts of an input, e.g. tags. */
  readonly parts: RegExp
  /** A whole that begins with this part, e.g. an element: moved or copied it keeps its meaning. */
  readonly wholeAt: (text: string, index: number) => string | undefined
}

/** Half of them with broken letters, half with whole elements moved, copied, and brought from another. */
export function mutated(stock: Stock, random: Random): string {
  const change = random(2) === 0 ? changeLetters : changeWholes
  let text = one(stock.samples, random)
  for (let times = 1 + random(4); times > 0; times--) text = change(text, stock, random)
  return text
}

function changeLetters(text: string, { samples, pieces, parts }: Stock, random: Random): string {
  const at = random(text.length + 1)
  const end = Math.min(text.length, at + 1 + random(random(4) === 0 ? 400 : 12))
  const part = one([...text.matchAll(parts)].map(String), random)
  const steps: readonly (() => string)[] = [
    () => text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1),
    () => text.slice(0, at) + text.slice(end),
    () => text.slice(0, end) + text.slice(at),
    () => text.slice(0, at) + one(pieces, random) + text.slice(at),
    () => text.slice(0, at) + one(samples, random).slice(random(text.length + 1)),
    () => text.replace(part, () => one(pieces, random)),
    () => text.replace(part, () => part + part),
  ]
  return steps[random(steps.length)]?.() ?? text
}

function changeWholes(text: string, { samples, parts, wholeAt }: Stock, random: Random): string {
  const donor = one(samples, random)
  const [own, foreign] = [text, donor].map((from) => {
    const starts = [...from.matchAll(parts)].map(({ index }) => index)
    return wholeAt(from, starts[random(starts.length)] ?? 0) ?? ''
  })
  if (own === undefined || foreign === undefined) return text
  const places = [...text.matchAll(parts)].flatMap(({ index, 0: part }) => [index, index + part.length])
  const place = places[random(places.length)] ?? 0
  const steps: readonly (() => string)[] = [
    () => text.replace(own, () => foreign),
    () => text.replace(own, ''),
    () => text.slice(0, place) + own + text.slice(place),
    () => text.slice(0, place) + foreign + text.slice(place),
    // Moved: taken out behind the place or before it.
    () => text.slice(0, place).replace(own, '') + own + text.slice(place).replace(own, ''),
  ]
  return steps[random(steps.length)]?.() ?? text
}

const one = (list: readonly string[], random: Random): string => list[random(list.length)] ?? ''
