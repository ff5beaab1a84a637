// The command line: finds the command, gives it what was said, and turns how it ended into an exit status.
import { readCommandLine } from '../config/command-line.ts'
import { OPTIONS, type Option } from '../config/options.ts'
import { KeyringError } from '../crypto/key-file.ts'
import { createLog, type Log } from '../lib/log.ts'
import { ConfigError } from '../protocol/config-error.ts'
import type { Command, ExitStatus } from './command.ts'
import { COMMANDS } from './commands.ts'
import { renderCommandHelp, renderHelp } from './help.ts'
import { logProcessTroubles } from './process/troubles.ts'

const HELP: Option = { name: 'help', flagOnly: true, default: 'off', description: 'Say what there is.' }

const log = createLog()
logProcessTroubles(process, log)

async function main(argv: readonly string[]): Promise<ExitStatus> {
  const command = findCommand(argv)
  if (!command) return answerNoCommand(argv)
  try {
    const rest = argv.slice(command.name.split(' ').length)
    const commandLine = readCommandLine({
      argv: rest,
      environment: process.env,
      options: [...OPTIONS, ...(command.options ?? []), HELP],
      positionals: command.positionals?.some((name) => name.endsWith('…'))
        ? Infinity
        : (command.positionals?.length ?? 0),
    })
    if (commandLine.isOn('help')) return print(renderCommandHelp(command))
    const run = await command.load()
    return await run({ commandLine, environment: process.env, folder: process.cwd(), log, print })
  } catch (error) {
    return explain(error, log)
  }
}

/** The longest name that the arguments begin with. */
const findCommand = (argv: readonly string[]): Command | undefined =>
  COMMANDS.filter(({ name }) => name.split(' ').every((word, index) => argv[index] === word))
    .sort((a, b) => b.name.length - a.name.length)
    .at(0)

function answerNoCommand(argv: readonly string[]): ExitStatus {
  if (argv.length > 0 && argv.every((word) => ['--help', '-h', 'help'].includes(word)))
    return print(renderHelp(COMMANDS))
  const words = argv.filter((word) => !word.startsWith('-')).slice(0, 2)
  const found = words.length === 0 ? 'no command' : `the command ${JSON.stringify(words.join(' ').slice(0, 60))}`
  explain(new ConfigError({ code: 'unknown_command', pointer: 'tenon', found, expected: 'one of those below' }), log)
  process.stderr.write(`${renderHelp(COMMANDS)}\n`)
  return 2
}

function print(line: string): 0 {
  process.stdout.write(`${line}\n`)
  return 0
}

/** Tells why a command ended: a line of JSON for each problem, and in a terminal the same to be read. */
function explain(thrown: unknown, to: Log): ExitStatus {
  const error = thrown instanceof KeyringError ? wrongKey(thrown) : thrown
  if (!(error instanceof ConfigError)) {
    to.fatal({ err: error, event: 'failed' }, error instanceof Error ? error.message : 'failed')
    return 1
  }
  for (const { code, pointer, found, expected } of error.problems) {
    const place = pointer === '' ? 'the document' : pointer
    const sentence = `${place}: found ${found}, expected ${expected}`
    to.fatal({ event: 'refused', code, pointer, found, expected }, sentence)
    if (process.stderr.isTTY) process.stderr.write(`tenon: ${sentence}\n`)
  }
  return 2
}

const wrongKey = ({ code, message }: KeyringError) =>
  new ConfigError({ code, pointer: '--vault-key', found: message, expected: 'the key of this database' })

// What a command left open, such as the idle connections of a pool, has no say in the end.
process.exit(await main(process.argv.slice(2)))
