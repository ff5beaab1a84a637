// The table of commands. Each is loaded when it is called, so that `--help` costs nothing.
import type { Option } from '../config/options.ts'
import type { Command } from './command.ts'
import { EXPLAIN_OPTIONS, SIMULATE_OPTIONS } from './link-options.ts'

const only = (name: string, description: string): Option => ({ name, flagOnly: true, default: 'off', description })

export const COMMANDS: readonly Command[] = [
  {
    name: 'serve',
    summary: 'Run the server.',
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    name: 'migrate',
    summary: 'Bring the database to the schema of this version; serve does it too.',
    load: async () => (await import('./migrate.ts')).migrate,
  },
  {
    name: 'backup',
    positionals: ['FILE'],
    summary: 'Write everything but the keys into a file, while servers go on.',
    load: async () => (await import('./backup.ts')).backup,
  },
  {
    name: 'restore',
    positionals: ['FILE'],
    summary: 'Make the database out of a backup; there must be none. SQLite or PostgreSQL, whichever it came from.',
    options: [only('keep-sessions', 'Sessions and tokens go on: for a move, when nothing happened since the backup.')],
    load: async () => (await import('./backup.ts')).restore,
  },
  {
    name: 'keys list',
    summary: 'Show the keys that sign tokens and seal the vault: ids and states.',
    load: async () => (await import('./keys.ts')).listKeys,
  },
  {
    name: 'keys rotate',
    summary: 'Make new keys while servers go on; both kinds, unless one is named.',
    options: [only('signing', 'Only the keys that sign tokens.'), only('vault', 'Only the keys that seal the vault.')],
    load: async () => (await import('./keys.ts')).rotateKeys,
  },
  {
    name: 'keys prune',
    summary: 'Remove vault keys that seal nothing any more. Backups made under them are lost with them.',
    load: async () => (await import('./keys.ts')).pruneKeys,
  },
  {
    name: 'link explain',
    summary: 'Say what a sign-in, or joining two users, would lead to now, and why; change nothing.',
    options: EXPLAIN_OPTIONS,
    load: async () => (await import('./link.ts')).explainLink,
  },
  {
    name: 'link simulate',
    summary: 'Say what a policy would have done with the present users; change nothing.',
    options: SIMULATE_OPTIONS,
    load: async () => (await import('./link-simulate.ts')).simulateLinks,
  },
  {
    name: 'agent simulate',
    positionals: ['CLIENT_ID', '[FILE]'],
    summary: "Say what a policy (a file's, else the client's) would have done with its uses of late; change nothing.",
    options: [only('json', 'Print JSON, for programs.')],
    load: async () => (await import('./agent-simulate.ts')).simulateAgent,
  },
  {
    name: 'console link',
    summary: 'Print a link that opens the console once, within five minutes; for a start without named operators.',
    load: async () => (await import('./console-link.ts')).consoleLink,
  },
  {
    name: 'import auth0',
    positionals: ['FILE…'],
    summary: "Take users in from Auth0's exports and bulk import files, beside a server or not. Twice is once.",
    options: [
      only('upsert', 'Change users who are there already; never their address or password.'),
      {
        name: 'connection',
        value: 'NAME',
        flagOnly: true,
        default: 'Username-Password-Authentication',
        description: 'Connection of users whose row names none.',
      },
      only('json', 'Print JSON, for programs.'),
    ],
    load: async () => (await import('./import.ts')).importAuth0,
  },
  {
    name: 'export',
    summary: 'Print every user with identities and metadata, a line of JSON each, as import auth0 takes them.',
    options: [only('dangerously-with-passwords', 'Add the hashes of passwords. Who has them can try the weak ones.')],
    load: async () => (await import('./export.ts')).exportAll,
  },
  {
    name: 'doctor',
    summary: 'Look at configuration, database, keys, clock and connections; say what is wrong and how to mend it.',
    load: async () => (await import('./doctor.ts')).doctor,
  },
]
