import { linkRecords } from './link-records.ts'
import { openWorld } from './world.ts'

linkRecords('links on SQLite', () => openWorld())
