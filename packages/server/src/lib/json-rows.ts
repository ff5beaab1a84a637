// Rows of JSON out of a stream, one at a time: an object on each line, or one array of objects however it is laid out.
// Memory holds one row, however long the stream is.

export interface JsonRow {
  /** Where it begins, from 1. */
  readonly line: number
  /** The row as it stands there, without what separates it from the next; not yet known to be JSON. */
  readonly text: string
}

/** The stream breaks off inside of a row, or a row is too long; what came before was whole. */
export class RowsBroken extends Error {
  readonly code = 'rows_broken'
  readonly line: number
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`)
    this.line = line
  }
}

/** No user is that large; a stream that says so must not fill the memory. */
const MAX_ROW_CHARACTERS = 1_048_576

/** @throws {RowsBroken} */
export async function* jsonRows(chunks: AsyncIterable<string> | Iterable<string>): AsyncGenerator<JsonRow> {
  let rows: RowReader | undefined
  let before = ''
  for await (const chunk of chunks) {
    if (rows !== undefined) {
      yield* rows.read(chunk)
      continue
    }
    before += chunk
    const text = before.trimStart()
    if (text === '') continue
    rows = text.startsWith('[') ? new ArrayRows() : new LineRows()
    // `trimStart` takes a byte order mark along, which is no JSON.
    yield* rows.read(before.replace(/^\uFEFF/, ''))
  }
  if (rows !== undefined) yield* rows.end()
}

interface RowReader {
  /** The rows that this piece of the stream completes. */
  read(chunk: string): readonly JsonRow[]
  end(): readonly JsonRow[]
}

class LineRows implements RowReader {
  #line = 1
  #rest = ''

  read(chunk: string): readonly JsonRow[] {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop() ?? ''
    const first = this.#line
    this.#line += lines.length
    if (this.#rest.length > MAX_ROW_CHARACTERS) throw new RowsBroken(this.#line, 'the line is too long')
    return lines.flatMap((line, at) => rowOf(first + at, line))
  }

  end(): readonly JsonRow[] {
    return rowOf(this.#line, this.#rest)
  }
}

function rowOf(line: number, untrimmed: string): readonly JsonRow[] {
  const text = untrimmed.trim()
  return text === '' ? [] : [{ line, text }]
}

/** Follows strings and brackets, and nothing else of JSON: whether a row is JSON is found out when it is parsed. */
class ArrayRows implements RowReader {
  #line = 1
  #row = ''
  #startedAt = 1
  #depth = 0
  #inString = false
  #escaped = false
  #closed = false

  read(chunk: string): readonly JsonRow[] {
    const rows: JsonRow[] = []
    let start = this.#depth > 1 ? 0 : -1
    for (let at = 0; at < chunk.length; at++) {
      const char = chunk[at] ?? ''
      if (char === '\n') this.#line++
      if (this.#depth < 2) this.#between(char)
      else this.#inside(char)
      if (this.#depth === 2 && start < 0) {
        start = at
        this.#startedAt = this.#line
      } else if (this.#depth === 1 && start >= 0) {
        rows.push({ line: this.#startedAt, text: this.#row + chunk.slice(start, at + 1) })
        this.#row = ''
        start = -1
      }
    }
    if (start >= 0) this.#row += chunk.slice(start)
    if (this.#row.length > MAX_ROW_CHARACTERS) throw new RowsBroken(this.#startedAt, 'the row is too long')
    return rows
  }

  end(): readonly JsonRow[] {
    if (!this.#closed) throw new RowsBroken(this.#line, 'the array does not end')
    return []
  }

  #between(char: string): void {
    if (char === '[' && this.#depth === 0 && !this.#closed) this.#depth = 1
    else if (char === '{' && this.#depth === 1) this.#depth = 2
    else if (char === ']' && this.#depth === 1) {
      this.#depth = 0
      this.#closed = true
    } else if (!(/\s/.test(char) || (char === ',' && this.#depth === 1)))
      throw new RowsBroken(this.#line, 'something that is no object of the array')
  }

  #inside(char: string): void {
    if (this.#escaped) this.#escaped = false
    else if (this.#inString) {
      if (char === '\\') this.#escaped = true
      else if (char === '"') this.#inString = false
    } else if (char === '"') this.#inString = true
    else if (char === '{' || char === '[') this.#depth++
    else if (char === '}' || char === ']') this.#depth--
  }
}
