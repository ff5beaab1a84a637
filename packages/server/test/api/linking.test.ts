import { linkingRules } from './linking-rules.ts'
import { openWorld } from './world.ts'

linkingRules('linking on SQLite', () => openWorld())
