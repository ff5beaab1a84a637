// `--help`: commands, flags and variables, out of the tables.
import { environmentName, OPTIONS, type Option } from '../config/options.ts'
import type { Command } from './command.ts'

const WIDTH = 100
const INDENT = 6

export function renderHelp(commands: readonly Command[]): string {
  return [
    'Usage: tenon COMMAND [flags]',
    '',
    'Commands:',
    ...commands.map((command) => `  ${usageOf(command).padEnd(40)} ${command.summary}`),
    '',
    'Flags, each also an environment variable; a flag wins:',
    ...OPTIONS.flatMap(renderOption),
    '',
    'tenon COMMAND --help tells more about one command.',
  ].join('\n')
}

export function renderCommandHelp(command: Command): string {
  const own = command.options ?? []
  return [
    `Usage: tenon ${usageOf(command)} [flags]`,
    '',
    command.summary,
    ...(own.length > 0 ? ['', 'Flags of this command:', ...own.flatMap(renderOption)] : []),
    '',
    'Flags of every command, each also an environment variable; a flag wins:',
    ...OPTIONS.flatMap(renderOption),
  ].join('\n')
}

const usageOf = ({ name, positionals = [] }: Command) => [name, ...positionals].join(' ')

function renderOption(option: Option): string[] {
  const flag = `--${option.name}${option.value ? ` ${option.value}` : ''}`
  return [
    `  ${flag}${option.flagOnly ? '' : `   ${environmentName(option.name)}`}   [${option.default}]`,
    ...wrap(option.description, WIDTH - INDENT).map((line) => ' '.repeat(INDENT) + line),
  ]
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line === undefined || line.length + word.length >= width) lines.push(word)
    else lines[lines.length - 1] = `${line} ${word}`
  }
  return lines
}
