// A configuration that cannot be served, told so that the operator can mend it.

export interface ConfigProblem {
  /** Stable: `unknown_key`, `wrong_type`, `dangling_reference`, … */
  readonly code: string
  /** Where: a flag with its environment variable, or the JSON pointer (RFC 6901) of the offending key. */
  readonly pointer: string
  /** Type, or a short value that is no secret. */
  readonly found: string
  readonly expected: string
}

/** Refuses flags, environment, tenant file or a document of the Management API. `problems` is never empty. */
export class ConfigError extends Error implements ConfigProblem {
  override readonly name = 'ConfigError'
  readonly code: string
  readonly pointer: string
  readonly found: string
  readonly expected: string
  readonly problems: readonly ConfigProblem[]

  constructor(first: ConfigProblem, ...others: readonly ConfigProblem[]) {
    super([first, ...others].map(sentenceOf).join('; '))
    this.code = first.code
    this.pointer = first.pointer
    this.found = first.found
    this.expected = first.expected
    this.problems = [first, ...others]
  }
}

const sentenceOf = ({ pointer, found, expected }: ConfigProblem) =>
  `${pointer === '' ? 'the document' : pointer}: found ${found}, expected ${expected}`
