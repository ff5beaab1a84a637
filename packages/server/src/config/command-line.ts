// Gathers what was said: flags first, then environment variables.
import { parseArgs } from 'node:util'
import { ConfigError, type ConfigProblem } from '../protocol/config-error.ts'
import { environmentName, type Option } from './options.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A value and where it came from, for messages. */
export interface Said {
  readonly value: string
  /** `--port`, or `TENON_PORT` with the flag it stands for. */
  readonly where: string
}

export interface CommandLine {
  /** What was said for an option; empty when nothing was. The last one wins where there can be one only. */
  readonly said: (option: string) => readonly Said[]
  readonly isOn: (option: string) => boolean
  readonly positionals: readonly string[]
}

interface Input {
  readonly argv: readonly string[]
  readonly environment: Environment
  readonly options: readonly Option[]
  /** How many arguments without a flag may follow. */
  readonly positionals?: number
}

/** @throws {ConfigError} unknown flag, missing value, too many arguments. */
export function readCommandLine({ argv, environment, options, positionals: allowed = 0 }: Input): CommandLine {
  const known = new Map(options.map((option) => [option.name, option]))
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      options.map((option) => [option.name, { type: option.value === undefined ? 'boolean' : 'string' } as const]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const said = new Map<string, Said[]>()
  const problems: ConfigProblem[] = []
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const option = known.get(token.name)
    if (!option) problems.push(unknownFlag(token.rawName))
    else if (option.value !== undefined && token.value === undefined) problems.push(missingValue(option))
    else
      said.set(option.name, [
        ...(said.get(option.name) ?? []),
        { value: token.value ?? 'true', where: `--${option.name}` },
      ])
  }
  if (positionals.length > allowed) problems.push(tooMany(positionals.slice(allowed)))
  const [first, ...others] = problems
  if (first) throw new ConfigError(first, ...others)

  const saidFor = (name: string) => {
    const fromFlags = said.get(name)
    return fromFlags ?? (known.get(name)?.flagOnly ? [] : fromEnvironment(name, environment))
  }
  return { said: saidFor, isOn: (name) => isOn(saidFor(name)), positionals }
}

/** An empty variable counts as not set: that is how compose files and shells leave one out. */
function fromEnvironment(option: string, environment: Environment): readonly Said[] {
  const name = environmentName(option)
  const value = environment[name]
  return value === undefined || value === '' ? [] : [{ value, where: `${name} (--${option})` }]
}

function isOn(said: readonly Said[]): boolean {
  const last = said.at(-1)
  if (!last) return false
  if (['true', '1', 'on', 'yes'].includes(last.value)) return true
  if (['false', '0', 'off', 'no'].includes(last.value)) return false
  throw new ConfigError({
    code: 'invalid_value',
    pointer: last.where,
    found: JSON.stringify(last.value),
    expected: 'true or false',
  })
}

const unknownFlag = (name: string): ConfigProblem => ({
  code: 'unknown_flag',
  pointer: name,
  found: 'a flag that is not known',
  expected: 'one that tenon --help lists',
})

const missingValue = ({ name, value }: Option): ConfigProblem => ({
  code: 'missing_value',
  pointer: `--${name}`,
  found: 'nothing behind it',
  expected: `${value}`,
})

const tooMany = (extra: readonly string[]): ConfigProblem => ({
  code: 'unknown_argument',
  pointer: 'arguments',
  found: JSON.stringify(extra.join(' ').slice(0, 60)),
  expected: 'flags only',
})
