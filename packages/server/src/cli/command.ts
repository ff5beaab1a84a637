// What every command is: a line of help, options of its own, and a run that ends in an exit status.
import type { CommandLine, Environment } from '../config/command-line.ts'
import type { Option } from '../config/options.ts'
import type { Log } from '../lib/log.ts'

export interface CommandInput {
  readonly commandLine: CommandLine
  readonly environment: Environment
  /** Where it was called from: relative paths start here. */
  readonly folder: string
  readonly log: Log
  /** Writes a line on standard output. */
  readonly print: (line: string) => void
}

/** 0 done · 1 failed · 2 bad flags or configuration. */
export type ExitStatus = 0 | 1 | 2

export interface Command {
  /** `keys rotate`. */
  readonly name: string
  /** Arguments without a flag, as help shows them. */
  readonly positionals?: readonly string[]
  readonly summary: string
  /** Besides those of the one table. */
  readonly options?: readonly Option[]
  /** @throws {ConfigError} exit status 2; anything else is exit status 1. */
  readonly load: () => Promise<(input: CommandInput) => Promise<ExitStatus>>
}
