// The table of commands. Each is loaded when it is called, so that `--help` costs nothing.
import type { Command } from './command.ts'

export const COMMANDS: readonly Command[] = [
  {
    name: 'serve',
    summary: 'Run the server.',
    load: async () => (await import('./serve.ts')).serve,
  },
]
