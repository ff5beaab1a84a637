// Which databases a race is run on: both wherever a PostgreSQL server is named.
import { postgresServer } from '../storage/postgres-database.ts'

export const databases: readonly ('sqlite' | 'postgres')[] =
  postgresServer === undefined ? ['sqlite'] : ['sqlite', 'postgres']
