import { undoRules } from './undo-rules.ts'
import { openWorld } from './world.ts'

undoRules('undoing links on SQLite', (options) => openWorld(options))
