import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mergeUndoRules } from './merge-undo-rules.ts'

const ROUNDS = process.env.TENON_TEST_LONG === '1' ? 400 : 40

mergeUndoRules('merging and undoing on SQLite', {
  runs: Number(process.env.TENON_PROPERTY_RUNS ?? ROUNDS),
  open: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tenon-merge-'))
    return {
      url: `sqlite:${join(folder, 'tenon.db')}`,
      remove: async () => rmSync(folder, { recursive: true, force: true }),
    }
  },
})
