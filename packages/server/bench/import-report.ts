// The section of bench/results.md on imports.
import type { ImportResult } from './import.ts'
import { machineFacts } from './machine.ts'
import { table } from './table.ts'

export const importReport = (results: readonly ImportResult[]): string => `## Import

Written by \`npm run bench -- --part import\`. \`tenon import auth0\` in a process of its own, over an export of users with a
password (bcrypt) and a linked identity each. The second run of the same file changes nothing. After both, every user is
there once with both identities, and passwords of some of them fit. \`peak\` is the most memory that the process had.

${table(
  ['machine', ''],
  machineFacts().map(([name, value]) => [name, value]),
)}

${table(
  ['database', 'users', 'run', 'time', 'a second', 'peak', 'file'],
  results.map(({ database, users, run, seconds, peakMib, fileMib }) => [
    database,
    users.toLocaleString('en'),
    run,
    `${seconds.toFixed(1)} s`,
    Math.round(users / seconds).toLocaleString('en'),
    `${Math.round(peakMib)} MiB`,
    `${Math.round(fileMib)} MiB`,
  ]),
)}
`
